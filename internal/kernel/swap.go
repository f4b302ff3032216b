package kernel

// swapRows is up to how many rows that was measured to pay: a tenth at 16, a twentieth at 64.
const swapRows = 96

// swaps says that a product of few rows with a transposed b, which is not packed yet, is computed as b·aᵀ, and that
// transposed: then it is a that is packed, and the result that is turned, instead of the much larger b, which is read in place. Every
// element adds up in the same order.
func swaps[T Float](layout Layout, m, n, k int, weights *Weights, accumulate bool) bool {
	return layout == NT && weights == nil && !accumulate && m > dotRowLimit(k) && m <= swapRows && n >= 3*m && k >= 64 && !sharesLines(k*sizeOf[T]()) && kernelsOf[T]().splits(m, n, k, false) == 0
}

// gemmSwapped is Gemm of NT in that way. Who computes rows of b·aᵀ turns them as well, while they lie in its cache.
func gemmSwapped[T Float](m, n, k int, a []T, lda int, b []T, ldb int, c []T, ldc int, epilogue Epilogue[T]) {
	w := borrow[T]()
	turned := w.floats(n * m)
	w.tasks.turn = turnTask[T]{m, turned, c, ldc, epilogue}
	g := &w.tasks.product
	g.kernels, g.layout, g.m, g.n, g.k, g.accumulate, g.epilogue = kernelsOf[T](), NT, n, m, k, false, Epilogue[T]{}
	g.a, g.lda, g.b, g.ldb, g.c, g.ldc, g.turn = &b[0], ldb, &a[0], lda, &turned[0], m, &w.tasks.turn
	g.compute(w, nil)
	if g.byDots { // small
		w.tasks.turn.run(0, 0, n)
	}
	g.drop()
	w.tasks.turn = turnTask[T]{}
	w.giveBack()
}

// turnTask transposes rows of n×m numbers to columns of c, and finishes them.
type turnTask[T Float] struct {
	m        int
	turned   []T
	c        []T
	ldc      int
	epilogue Epilogue[T]
}

func (t *turnTask[T]) run(_, from, to int) {
	Transpose(t.c[from:], t.ldc, t.turned[from*t.m:], t.m, to-from, t.m)
	e := t.epilogue
	if e.Bias != nil {
		e.Bias = e.Bias[from:to]
	}
	for i := range t.m {
		finishRow(t.c[i*t.ldc+from:i*t.ldc+to], &e)
	}
	differentiate(&t.epilogue, t.c, t.ldc, 0, t.m, from, to)
}
