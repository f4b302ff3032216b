package kernel

// Layout says which operand of a matrix product is stored transposed.
type Layout uint8

// The layouts of Gemm, first a then b.
const (
	NN Layout = iota // a is m×k, b is k×n
	NT               // a is m×k, b is n×k
	TN               // a is k×m, b is k×n
)

// Epilogue is what happens to a matrix product before it is stored: Activation(product + Bias), Bias one value a column or
// nil. The zero value stores the product as it is.
type Epilogue[T Float] struct {
	Bias       []T
	Activation Unary
	A, B       T // parameters of Activation, or of Derivative
	// Derivative is of a function that gave Output, which lies as c does: the product is its gradient, and that of its input is stored. The
	// output alone must give it, see [GradientFromOutput].
	Derivative Unary
	Output     []T
}

// Gemm computes c = act(op(a)·op(b) [+ c] + bias), row-major, c being m×n; lda, ldb and ldc are the lengths of a stored
// row. With accumulate the product is added to what c holds. k may be 0: the product is then 0.
//
// Error of a product's element, before the activation: at most k*eps*sum|a||b|.
func Gemm[T Float](layout Layout, m, n, k int, a []T, lda int, b []T, ldb int, c []T, ldc int, accumulate bool, epilogue Epilogue[T]) {
	GemmPacked(layout, m, n, k, a, lda, b, ldb, nil, c, ldc, accumulate, epilogue)
}

// GemmPacked is [Gemm] with b's packed copy, where weights, which may be nil, has one.
func GemmPacked[T Float](layout Layout, m, n, k int, a []T, lda int, b []T, ldb int, weights *Weights, c []T, ldc int, accumulate bool, epilogue Epilogue[T]) {
	gemm(layout, m, n, k, a, lda, b, ldb, weights, c, ldc, accumulate, epilogue, nil)
}

// gemm is [GemmPacked], and sums the columns of a, a whole transposed matrix, to sums, which may be nil.
func gemm[T Float](layout Layout, m, n, k int, a []T, lda int, b []T, ldb int, weights *Weights, c []T, ldc int, accumulate bool, epilogue Epilogue[T], sums []T) {
	kernels := kernelsOf[T]()
	inHalves := m > 0 && n > 0 && kernels.inHalves(layout, m, n, k, weights)
	if sums != nil && !inHalves {
		ColumnSums(sums, a, k, m)
	}
	if m <= 0 || n <= 0 {
		return
	}
	checkGemm(layout, m, n, k, len(a), lda, len(b), ldb, len(c), ldc)
	if epilogue.Bias != nil {
		need("bias of Gemm", len(epilogue.Bias), n)
	}
	if epilogue.Output != nil {
		need("output of Gemm", len(epilogue.Output), (m-1)*ldc+n)
	}
	if kernels.lanes == 0 || k <= 0 {
		gemmGo(layout, m, n, k, a, lda, b, ldb, c, ldc, accumulate, epilogue)
		differentiate(&epilogue, c, ldc, 0, m, 0, n)
		return
	}
	if kernels.hasFew(layout, m, n, k, weights != nil, accumulate) {
		gemmFew(layout, m, n, k, a, lda, b, ldb, c, ldc, epilogue, weights.kept())
		return
	}
	if kernels.isNarrow(layout, m, n, k, weights, epilogue.Activation) {
		kernels.narrow(layout, m, n, k, a, lda, b, ldb, c, ldc, accumulate, &epilogue)
		return
	}
	if swaps[T](layout, m, n, k, weights, accumulate) {
		gemmSwapped(m, n, k, a, lda, b, ldb, c, ldc, epilogue)
		return
	}
	w := borrow[T]()
	if k <= outerLimit && layout != NT {
		stride := 1
		if layout == NN {
			stride = lda
		}
		inParts(&w.tasks.outer, outerTask[T]{n, a, stride, b[:n], c, ldc, accumulate, epilogue}, partsOf(m*n, grainMemory), m, 1)
		differentiate(&epilogue, c, ldc, 0, m, 0, n)
	} else {
		g := &w.tasks.product
		g.kernels, g.layout, g.m, g.n, g.k, g.accumulate, g.epilogue = kernels, layout, m, n, k, accumulate, epilogue
		g.a, g.lda, g.b, g.ldb, g.c, g.ldc = &a[0], lda, &b[0], ldb, &c[0], ldc
		if inHalves {
			g.computeHalves(w, sums)
		} else {
			g.compute(w, weights)
		}
		g.drop()
	}
	w.giveBack()
}

func checkGemm(layout Layout, m, n, k, a, lda, b, ldb, c, ldc int) {
	extent := func(rows, cols, ld int) int {
		if rows <= 0 || cols <= 0 {
			return 0
		}
		if ld < cols {
			panic("BUG: kernel: Gemm: stored rows overlap")
		}
		return (rows-1)*ld + cols
	}
	aRows, aCols, bRows, bCols := m, k, k, n
	switch layout {
	case NN:
	case NT:
		bRows, bCols = n, k
	case TN:
		aRows, aCols = k, m
	default:
		panic("BUG: kernel: Gemm: unknown layout")
	}
	need("a of Gemm", a, extent(aRows, aCols, lda))
	need("b of Gemm", b, extent(bRows, bCols, ldb))
	need("c of Gemm", c, extent(m, n, ldc))
}

func gemmGo[T Float](layout Layout, m, n, k int, a []T, lda int, b []T, ldb int, c []T, ldc int, accumulate bool, epilogue Epilogue[T]) {
	for i := range m {
		row := c[i*ldc : i*ldc+n]
		if !accumulate {
			clear(row)
		}
		switch layout {
		case NN:
			for p := range k {
				addScaled(a[i*lda+p], b[p*ldb:p*ldb+n], row)
			}
		case TN:
			for p := range k {
				addScaled(a[p*lda+i], b[p*ldb:p*ldb+n], row)
			}
		case NT:
			for j := range row {
				row[j] += dot(a[i*lda:i*lda+k], b[j*ldb:j*ldb+k])
			}
		}
		finishRow(row, &epilogue)
	}
}

// differentiate takes rows i0 to i1 and columns j0 to j1 of a product through the epilogue's derivative.
func differentiate[T Float](e *Epilogue[T], c []T, ldc, i0, i1, j0, j1 int) {
	if e.Output == nil {
		return
	}
	for i := i0; i < i1; i++ {
		g, y := c[i*ldc+j0:i*ldc+j1], e.Output[i*ldc+j0:i*ldc+j1]
		mapGradSerial(e.Derivative, g, g, y, y, e.A, e.B)
	}
}

// finish takes rows from to to of c through an epilogue.
func finish[T Float](c []T, ldc, from, to, n int, e *Epilogue[T]) {
	if e.Bias != nil || e.Activation != Identity {
		for i := from; i < to; i++ {
			finishRow(c[i*ldc:i*ldc+n], e)
		}
	}
	differentiate(e, c, ldc, from, to, 0, n)
}

// finishRow applies an epilogue to one stored row.
func finishRow[T Float](row []T, e *Epilogue[T]) {
	if e.Bias != nil {
		Zip(Add, row, row, e.Bias)
	}
	if e.Activation != Identity {
		Map(e.Activation, row, row, e.A, e.B)
	}
}

func addScaled[T Float](a T, x, y []T) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += a * v
	}
}

func dot[T Float](x, y []T) T {
	y = y[:len(x)]
	var s0, s1, s2, s3 T
	i := 0
	for ; i+4 <= len(x); i += 4 {
		s0 += x[i] * y[i]
		s1 += x[i+1] * y[i+1]
		s2 += x[i+2] * y[i+2]
		s3 += x[i+3] * y[i+3]
	}
	for ; i < len(x); i++ {
		s0 += x[i] * y[i]
	}
	return (s0 + s1) + (s2 + s3)
}
