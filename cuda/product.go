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

// Then is what follows a product before it is stored: a bias (n) is added to each row, and what is below 0 becomes 0.
type Then struct {
	Bias *Place // or nil
	ReLU bool
}

// Product adds c = a·b of contiguous row-major matrices: cuBLAS, or where there is none a kernel of our own.
func (p *Plan) Product(layout Layout, real Type, m, n, k int, a, b, c *Place) error {
	_, err := p.product(layout, real, m, n, k, a, b, c, Then{}, false)
	return err
}

// AddProduct adds c += a·b.
func (p *Plan) AddProduct(layout Layout, real Type, m, n, k int, a, b, c *Place) error {
	_, err := p.product(layout, real, m, n, k, a, b, c, Then{}, true)
	return err
}

// ProductThen adds c = a·b with as much of what follows as is done at once. The rest is the caller's to do.
func (p *Plan) ProductThen(layout Layout, real Type, m, n, k int, a, b, c *Place, then Then) (rest Then, err error) {
	return p.product(layout, real, m, n, k, a, b, c, then, false)
}

func (p *Plan) product(layout Layout, real Type, m, n, k int, a, b, c *Place, then Then, add bool) (rest Then, err error) {
	if m == 0 || n == 0 || k == 0 && add {
		return then, nil
	}
	if k == 0 {
		p.Zero(c, m*n*real.Bytes())
		return then, nil
	}
	if p.gpu.blas == nil {
		return Then{}, p.ownProduct(layout, real, m, n, k, a, b, c, then, add)
	}
	// To cuBLAS, whose matrices lie by columns, ours are transposed: cᵀ = bᵀ·aᵀ.
	s := C.aegis_step{
		kind: C.AEGIS_PRODUCT, m: C.int32_t(n), n: C.int32_t(m), k: C.int32_t(k), ldc: C.int32_t(n), lda: C.int32_t(n), ldb: C.int32_t(k),
		wide: bit(real == Float64), add: bit(add),
	}
	if layout == NT {
		s.transposeA, s.lda = 1, C.int32_t(k)
	}
	if layout == TN {
		s.transposeB, s.ldb = 1, C.int32_t(m)
	}
	places := []*Place{c, b, a}
	if real == Float32 && then != (Then{}) {
		done, err := p.fuse(&s, append(places, then.Bias), then)
		if err != nil {
			return then, err
		}
		if done.Bias != nil {
			places, then.Bias = append(places, done.Bias), nil
		}
		then.ReLU = then.ReLU && !done.ReLU
	}
	p.fixed("product", s, places...)
	return then, nil
}

// fuse has the step do what follows it, as far as cuBLASLt can.
func (p *Plan) fuse(s *C.aegis_step, places []*Place, then Then) (done Then, err error) {
	s.aligned = 16
	for _, place := range places {
		for place != nil && place.now()%uint64(s.aligned) != 0 {
			s.aligned /= 2
		}
	}
	for _, try := range []Then{then, {Bias: then.Bias}} {
		if try == (Then{}) {
			break
		}
		s.relu = bit(try.ReLU)
		if ok, err := p.gpu.fusesAs(*s, try.Bias != nil); ok || err != nil {
			return try, err
		}
	}
	s.aligned, s.relu = 0, 0
	return Then{}, nil
}

// tiles are the sizes in which our own kernel makes a product: rows, columns and threads of a block, as in product.cu.
var tiles = []struct {
	kernel                 string
	rows, columns, threads int
}{{"large", 128, 64, 256}, {"small", 32, 32, 64}}

// ownProduct takes large tiles where they are enough to keep a GPU busy.
func (p *Plan) ownProduct(layout Layout, real Type, m, n, k int, a, b, c *Place, then Then, add bool) error {
	const busy = 64
	t := tiles[0]
	blocks := func() int { return (m + t.rows - 1) / t.rows * ((n + t.columns - 1) / t.columns) }
	if blocks() < busy {
		t = tiles[1]
	}
	bias := c // stands for one that is not read
	if then.Bias != nil {
		bias = then.Bias
	}
	return p.Launch(productSource.Kernel(t.kernel, real), Shape{Blocks: blocks(), Threads: t.threads}, c, a, b, bias, m, n, k,
		layout == TN, layout == NT, add, then.Bias != nil, then.ReLU)
}
