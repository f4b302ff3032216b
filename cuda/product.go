//go:build gpu

package cuda

// #include "core.h"
import "C"

import _ "embed"

//go:embed product.cu
var productText string

var productSource = NewSource("product", productText)

// Layout says which side of a product is transposed.
type Layout uint8

// The layouts of c (m, n) = a·b: a (m, k) and b (k, n); b (n, k) transposed; a (k, m) transposed.
const (
	NN Layout = iota
	NT
	TN
)

// Product adds c = a·b of contiguous row-major matrices: cuBLAS, or where there is none a kernel of our own.
func (p *Plan) Product(layout Layout, real Type, m, n, k int, a, b, c *Place) error {
	return p.product(layout, real, m, n, k, a, b, c, false)
}

// AddProduct adds c += a·b.
func (p *Plan) AddProduct(layout Layout, real Type, m, n, k int, a, b, c *Place) error {
	return p.product(layout, real, m, n, k, a, b, c, true)
}

func (p *Plan) product(layout Layout, real Type, m, n, k int, a, b, c *Place, add bool) error {
	if m == 0 || n == 0 || k == 0 && add {
		return nil
	}
	if k == 0 {
		p.Zero(c, m*n*real.Bytes())
		return nil
	}
	if p.gpu.blas == nil {
		const tile = 16 // as in product.cu
		across := (n + tile - 1) / tile
		shape := Shape{Blocks: (m + tile - 1) / tile * across, Threads: tile * tile}
		return p.Launch(productSource.Kernel("product", real), shape, c, a, b, m, n, k, layout == TN, layout == NT, add)
	}
	// To cuBLAS, whose matrices lie by columns, ours are transposed: cᵀ = bᵀ·aᵀ.
	s := C.aegis_step{
		kind: C.AEGIS_PRODUCT, to: p.address(c), from: p.address(b), b: p.address(a),
		m: C.int32_t(n), n: C.int32_t(m), k: C.int32_t(k), ldc: C.int32_t(n), lda: C.int32_t(n), ldb: C.int32_t(k),
	}
	if real == Float64 {
		s.wide = 1
	}
	if add {
		s.add = 1
	}
	if layout == NT {
		s.transposeA, s.lda = 1, C.int32_t(k)
	}
	if layout == TN {
		s.transposeB, s.ldb = 1, C.int32_t(m)
	}
	p.add("product", s)
	return nil
}
