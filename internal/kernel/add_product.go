package kernel

// AddProduct computes c += scale·(aᵀ·b), c being m×n, a k×m and b k×n: a step of plain SGD along the gradient of a weight, which is
// never stored. Each element of the product is rounded to T, and takes one fused multiply-add: the bits are those of [Gemm] with [TN],
// then [SGD]. weights, which may be nil, is what [PackRight] made of b. It is for a part of the rows of a weight: it asks no other thread.
// It says false, and has done nothing, where that isn't faster.
func AddProduct[T Float](m, n, k int, scale T, a []T, lda int, b []T, ldb int, weights *Weights, c []T, ldc int) (added bool) {
	kernels := kernelsOf[T]()
	if m <= 0 || n <= 0 || k <= 0 || kernels.lanes == 0 || k > kernels.blockDepth(TN, k) || kernels.inHalves(TN, lda, n, k, nil) || kernels.splitsBy(m, n, k, weights) > 0 {
		return false
	}
	checkGemm(TN, m, n, k, len(a), lda, len(b), ldb, len(c), ldc)
	if k <= outerLimit {
		addOuter(m, n, scale, a, b, c, ldc)
		return true
	}
	w := borrow[T]()
	w.scale = scale
	g := &w.tasks.product
	*g = product[T]{kernels: kernels, layout: TN, m: m, n: n, k: k, a: &a[0], lda: lda, b: &b[0], ldb: ldb, c: &c[0], ldc: ldc, scale: &w.scale}
	if weights != nil {
		g.useWeights(w, weights)
	}
	g.part(w, 0, 0)
	g.drop()
	w.giveBack()
	return true
}

// AddsProduct says whether [AddProduct] computes the rows of a product of such a size: in one block of k, on fused multiply-adds.
func AddsProduct[T Float](m, n, k int) bool {
	kernels := kernelsOf[T]()
	return kernels.lanes > 0 && k <= kernels.blockDepth(TN, k) && !kernels.inHalves(TN, m, n, k, nil) && kernels.splits(m, n, k, false) == 0
}

// addOuter computes c += scale·(x·yᵀ): SGD turns the sign of a gradient by a factor, which x is.
func addOuter[T Float](m, n int, scale T, x, y, c []T, ldc int) {
	step, idle := kernelsOf[T]().sgd[0][0], T(SGDArgs{}.idleWeight())
	for i := range m {
		row := &c[i*ldc]
		step(n, row, &y[0], row, x[i], 0, 0, 1, scale, idle)
	}
}
