package kernel

// narrowRows and narrowDepth bound the products that take less time than finding out how to cut them.
const (
	narrowRows  = 64
	narrowDepth = 64
)

// isNarrow says whether c is few tiles below each other, which read a and b in place.
func (k *kernels[T]) isNarrow(layout Layout, m, n, depth int, weights *Weights, activation Unary) bool {
	return n <= k.panel() && m <= narrowRows && depth <= narrowDepth && depth > outerLimit && layout != NT && k.maxRows > 6 && weights == nil &&
		(activation == Identity || activation == ReLU) && productWork(m, n, depth) < 2*grainProduct && k.splits(m, n, depth, false) == 0
}

// narrow computes such a product, with the bits of the way that others go.
func (k *kernels[T]) narrow(layout Layout, m, n, depth int, a []T, lda int, b []T, ldb int, c []T, ldc int, accumulate bool, e *Epilogue[T]) {
	size := sizeOf[T]()
	row, step, vectors, flags := lda, size, 0, 0
	if layout == TN {
		row, step = 1, lda*size
	}
	if n > k.lanes {
		vectors = 1
	}
	if n == k.lanes<<vectors {
		flags = tileFull
	}
	if accumulate {
		flags |= tileAdd
	}
	if e.Activation == ReLU {
		flags |= tileReLU
	}
	var bias *T
	if e.Bias != nil {
		bias = &e.Bias[0]
	}
	height := even(m, k.maxRows, 1)
	for i := 0; i < m; i += height {
		k.tile[vectors][min(height, m-i)](depth, &a[i*row], row*size, step, &b[0], ldb*size, 0, &c[i*ldc], ldc*size, bias, n, flags)
	}
	differentiate(e, c, ldc, 0, m, 0, n)
}
