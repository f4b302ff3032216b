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

// product is one that is about to be added: c (m, n) = a·b, or c += a·b.
type product struct {
	layout  Layout
	real    Type
	m, n, k int
	a, b, c *Place
	then    Then
	add     bool
	brain   bool // the numbers are bfloat16's
	plain   bool // by cuBLAS alone
}

// Product adds c = a·b of contiguous row-major matrices: cuBLAS, or where there is none a kernel of our own.
func (p *Plan) Product(layout Layout, real Type, m, n, k int, a, b, c *Place) error {
	_, err := p.product(product{layout: layout, real: real, m: m, n: n, k: k, a: a, b: b, c: c})
	return err
}

// AddProduct adds c += a·b.
func (p *Plan) AddProduct(layout Layout, real Type, m, n, k int, a, b, c *Place) error {
	_, err := p.product(product{layout: layout, real: real, m: m, n: n, k: k, a: a, b: b, c: c, add: true})
	return err
}

// BrainProduct adds c = a·b of numbers that bfloat16 has. TF32 has them too, so that tensor cores make it and nothing is lost.
func (p *Plan) BrainProduct(layout Layout, real Type, m, n, k int, a, b, c *Place) error {
	_, err := p.product(product{layout: layout, real: real, m: m, n: n, k: k, a: a, b: b, c: c, brain: real == Float32})
	return err
}

// ProductThen adds c = a·b with as much of what follows as is done at once. The rest is the caller's to do.
func (p *Plan) ProductThen(layout Layout, real Type, m, n, k int, a, b, c *Place, then Then) (rest Then, err error) {
	return p.product(product{layout: layout, real: real, m: m, n: n, k: k, a: a, b: b, c: c, then: then})
}

// ByCuBLAS adds c = a·b as cuBLAS alone makes it, where it is there: what [Plan.Product] is measured against.
func (p *Plan) ByCuBLAS(layout Layout, real Type, m, n, k int, a, b, c *Place) error {
	_, err := p.product(product{layout: layout, real: real, m: m, n: n, k: k, a: a, b: b, c: c, plain: true})
	return err
}

func (p *Plan) product(q product) (rest Then, err error) {
	if q.m == 0 || q.n == 0 || q.k == 0 && q.add {
		return q.then, nil
	}
	if q.k == 0 {
		p.Zero(q.c, q.m*q.n*q.real.Bytes())
		return q.then, nil
	}
	if p.gpu.blas == nil {
		return Then{}, p.ownProduct(q)
	}
	if q.plain {
		return p.byCuBLAS(q)
	}
	if q.narrow() {
		return Then{}, p.narrow(q)
	}
	split, err := p.gpu.splits(q)
	turn := p.gpu.turns(q)
	if err != nil || !split && !turn {
		return p.byCuBLAS(q)
	}
	defer func() { p.when = C.AEGIS_ALWAYS }()
	p.when = C.AEGIS_TF32
	if turn {
		rest, err = q.then, p.turned(q)
	} else {
		rest, err = p.byCuBLAS(q)
	}
	if err != nil {
		return rest, err
	}
	p.when = C.AEGIS_FULL
	if !split {
		return p.byCuBLAS(q)
	}
	if rest.Bias != nil { // the same is left over in either precision
		q.then.Bias = nil
	}
	q.then.ReLU = q.then.ReLU && !rest.ReLU
	return rest, p.split(q)
}

// byCuBLAS adds a product with as much of what follows as cuBLASLt does at once.
func (p *Plan) byCuBLAS(q product) (rest Then, err error) {
	// To cuBLAS, whose matrices lie by columns, ours are transposed: cᵀ = bᵀ·aᵀ.
	m, n, k := C.int32_t(q.m), C.int32_t(q.n), C.int32_t(q.k)
	s := C.aegis_step{
		kind: C.AEGIS_PRODUCT, m: n, n: m, k: k, ldc: n, lda: n, ldb: k, wide: bit(q.real == Float64), add: bit(q.add), brain: bit(q.brain),
	}
	if q.layout == NT {
		s.transposeA, s.lda = 1, k
	}
	if q.layout == TN {
		s.transposeB, s.ldb = 1, m
	}
	places, rest := []*Place{q.c, q.b, q.a}, q.then
	if q.real == Float32 && rest != (Then{}) {
		done, err := p.fuse(&s, append(places, rest.Bias), rest)
		if err != nil {
			return rest, err
		}
		if done.Bias != nil {
			places, rest.Bias = append(places, done.Bias), nil
		}
		rest.ReLU = rest.ReLU && !done.ReLU
	}
	p.fixed("product", s, places...)
	return rest, nil
}

// aligned is what divides the addresses of all places, 16 at most.
func aligned(places ...*Place) C.uint32_t {
	most := C.uint32_t(16)
	for _, place := range places {
		for place != nil && place.now()%uint64(most) != 0 {
			most /= 2
		}
	}
	return most
}

// fuse has the step do what follows it, as far as cuBLASLt can.
func (p *Plan) fuse(s *C.aegis_step, places []*Place, then Then) (done Then, err error) {
	s.aligned = aligned(places...)
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

// biasOrAny is the bias that a kernel takes, or what stands for one that it doesn't read.
func (q product) biasOrAny() *Place {
	if q.then.Bias == nil {
		return q.c
	}
	return q.then.Bias
}

// tileSize is a size in which our own kernel makes a product: rows, columns and threads of a block, as in product.cu.
type tileSize struct {
	kernel                 string
	rows, columns, threads int
}

var tiles = []tileSize{{"large", 128, 64, 256}, {"small", 32, 32, 64}}

func (t tileSize) shape(q product) Shape {
	return Shape{Blocks: (q.m + t.rows - 1) / t.rows * ((q.n + t.columns - 1) / t.columns), Threads: t.threads}
}

// ownProduct takes large tiles where they are enough to keep a GPU busy.
func (p *Plan) ownProduct(q product) error {
	const busy = 64
	t := tiles[0]
	if t.shape(q).Blocks < busy {
		t = tiles[1]
	}
	return p.Launch(productSource.Kernel(t.kernel, q.real), t.shape(q), q.c, q.a, q.b, q.biasOrAny(), q.m, q.n, q.k,
		q.layout == TN, q.layout == NT, q.add, q.then.Bias != nil, q.then.ReLU)
}
