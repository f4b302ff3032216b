package kernel

// A product of few columns leaves most lanes of its tiles empty. It is computed otherwise: with a transposed b as dot products, along which
// the lanes are full, and a b that isn't is transposed before; with a transposed a as the transposed product, which has few rows instead.

// Cycles, measured on a Zen 4: of a tile a vector of columns and an element of k, where it has one vector, for which a is asked twice as
// often, and where it has more; of a dot product a vector of its elements, to add up the lanes, and a call; to transpose a number, of b and of
// c, and all else that precedes the product.
const (
	cyclesOneVector, cyclesVector     = 1.2, 0.95
	cyclesDot, cyclesFold, cyclesCall = 1.0, 1.3, 10
	cyclesDot64AVX2, cyclesFoldAVX2   = 1.25, 2.5 // fewer rows in registers
	cyclesTurnB, cyclesTurnC          = 3.0, 1.0
	cyclesBefore                      = 300
)

const (
	// fewDepth is from how many elements of k it may pay, fewVectors how many vectors columns may fill, fewPerRow how many columns there
	// may be for a row of c.
	fewDepth, fewVectors, fewPerRow = 8, 3, 4
	// fewBlock is how many rows of a stay in the first-level cache until all columns are done.
	fewBlock = 24
)

// hasFew says whether a product has so few columns that this pays.
func (k *kernels[T]) hasFew(layout Layout, m, n, depth int, weights, accumulate bool) bool {
	if k.lanes == 0 || depth < fewDepth || n > fewVectors*k.lanes || n > fewPerRow*m || m < 2 || accumulate || k.splits(m, n, depth, weights) > 0 {
		return false
	}
	vectors := up(n, k.lanes)
	rows, columns, elements, lanes := float64(m), float64(n), float64(depth), float64(k.lanes)
	tiles := cyclesOneVector * rows * elements
	if vectors > 1 {
		tiles = cyclesVector * float64(vectors) * rows * elements
	}
	switch {
	case layout == TN:
		return vectors == 1 && m >= k.lanes && (columns+1)*elements*rows/lanes+cyclesTurnC*columns*rows+cyclesBefore < tiles
	case layout == NT && isTiny(m, n, depth):
		return false
	}
	dot, fold := cyclesDot, cyclesFold
	if k.maxRows <= 6 {
		fold = cyclesFoldAVX2
		if !isFloat32[T]() {
			dot = cyclesDot64AVX2
		}
	}
	calls := up(n, maxFewColumns) * min(m, 5+m/6)
	cost := rows*columns*(dot*elements/lanes+fold) + cyclesCall*float64(calls)
	if layout == NN {
		cost += cyclesTurnB*columns*elements + cyclesBefore
	}
	return cost < tiles
}

// gemmFew is Gemm in that way.
func gemmFew[T Float](layout Layout, m, n, k int, a []T, lda int, b []T, ldb int, c []T, ldc int, epilogue Epilogue[T], kept bool) {
	w := borrow[T]()
	switch layout {
	case TN:
		turned := w.floats(n * m)
		g := &w.tasks.product
		g.kernels, g.layout, g.m, g.n, g.k, g.accumulate, g.epilogue = kernelsOf[T](), TN, n, m, k, false, Epilogue[T]{}
		g.a, g.lda, g.b, g.ldb, g.c, g.ldc = &b[0], ldb, &a[0], lda, &turned[0], m
		g.compute(w, nil)
		g.drop()
		Transpose(c, ldc, turned, m, n, m)
		finish(c, ldc, 0, m, n, &epilogue)
	case NN:
		turned := w.floats(n * k)
		Transpose(turned, k, b, ldb, k, n)
		b, ldb = turned, k
		fallthrough
	case NT:
		w.tasks.few.compute(m, n, k, a, lda, b, ldb, c, ldc, epilogue, kept)
	}
	w.giveBack()
}

// fewReads is how many multiply-adds reading an element of a counts for in a prediction: half of a comes from another core, whose thread has
// what it wrote at hand. Networks that end in few outputs take 1 to 8 % less. In training the loss reads them, mostly alone.
const fewReads = 8

// fewTask computes rows of a product with a transposed b.
type fewTask[T Float] struct {
	kernels  *kernels[T]
	n, k     int
	a, b, c  []T
	lda      int
	ldb      int
	ldc      int
	bias     *T
	same     [maxFewColumns]T // that of a single column
	flags    int              // of a tile
	epilogue Epilogue[T]      // what is left to do
}

type fewKernel[T Float] = func(k int, a *T, lda int, b *T, ldb int, c *T, ldc int, bias *T, flags int)

func (t *fewTask[T]) compute(m, n, k int, a []T, lda int, b []T, ldb int, c []T, ldc int, epilogue Epilogue[T], kept bool) {
	*t = fewTask[T]{kernels: kernelsOf[T](), n: n, k: k, a: a, lda: lda, b: b, ldb: ldb, c: c, ldc: ldc, epilogue: epilogue}
	if e := &t.epilogue; e.Bias != nil {
		t.bias, e.Bias = &e.Bias[0], nil
		if n == 1 {
			for i := range t.same {
				t.same[i] = *t.bias
			}
			t.bias = &t.same[0]
		}
	}
	if e := &t.epilogue; e.Activation == ReLU {
		t.flags, e.Activation = tileReLU, Identity
	}
	work := productWork(m, n, k)
	if kept {
		work = max(work, fewReads*m*k)
	}
	pool.run(t, partsOf(work, grainProduct), m, lineElements)
	*t = fewTask[T]{}
}

func (t *fewTask[T]) run(_, from, to int) {
	if t.n == 1 && t.ldc == 1 {
		t.column(from, to)
	} else {
		for i := from; i < to; i += fewBlock {
			for j := 0; j < t.n; {
				columns := min(maxFewColumns, t.n-j)
				if t.n-j == maxFewColumns+1 { // a last one alone would take as long as two
					columns--
				}
				t.block(from, i, min(i+fewBlock, to), j, columns)
				j += columns
			}
		}
	}
	finish(t.c, t.ldc, from, to, t.n, &t.epilogue)
}

// block computes columns from j on of rows i to end, of a part whose rows begin at from.
func (t *fewTask[T]) block(from, i, end, j, columns int) {
	few, rows := t.kernels.few[columns], t.kernels.fewRows[columns]
	if few == nil || end-from < rows {
		few, rows = t.kernels.fewOfRow[columns], 1
	}
	var bias *T
	if t.bias != nil {
		bias = at(t.bias, j)
	}
	for i < end {
		i = min(i, end-rows) // the last ones: some of them are known already
		t.call(few, &t.a[i*t.lda], t.lda, &t.b[j*t.ldb], t.ldb, &t.c[i*t.ldc+j], bias)
		i += rows
	}
}

// column computes rows of a single column: as one row, of columns that are those rows.
func (t *fewTask[T]) column(from, to int) {
	for i := from; i < to; i += maxFewColumns {
		t.call(t.kernels.fewOfRow[min(maxFewColumns, to-i)], &t.b[0], t.ldb, &t.a[i*t.lda], t.lda, &t.c[i], t.bias)
	}
}

func (t *fewTask[T]) call(f fewKernel[T], a *T, lda int, b *T, ldb int, c, bias *T) {
	size := sizeOf[T]()
	f(t.k, a, lda*size, b, ldb*size, c, t.ldc*size, bias, t.flags)
}
