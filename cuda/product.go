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
	route, err := p.gpu.routes(q)
	if err != nil {
		return Then{}, err
	}
	defer func() { p.when = 0 }()
	rest = q.then
	if p.when = route.plain(); p.when != 0 {
		if rest, err = p.byCuBLAS(q); err != nil {
			return rest, err
		}
	}
	if rest.Bias != nil { // the same is left over in all modes
		q.then.Bias = nil
	}
	q.then.ReLU = q.then.ReLU && !rest.ReLU
	for _, other := range []struct {
		taken bool
		when  C.int32_t
		add   func(product) error
	}{{route.split, inFull, p.split}, {route.turn, inTF32 | inHalf, p.turned}, {route.half, inHalf, p.half}} {
		if p.when = other.when; other.taken {
			if err := other.add(q); err != nil {
				return rest, err
			}
		}
	}
	return rest, nil
}

// The modes, a bit each.
const (
	inFull C.int32_t = 1 << C.AEGIS_FULL
	inTF32 C.int32_t = 1 << C.AEGIS_TF32
	inHalf C.int32_t = 1 << C.AEGIS_HALF
)

// routes are those other than cuBLAS's own that a product is made by.
type routes struct {
	split bool // in full float32
	turn  bool // in TF32, with half precision or without
	half  bool // in TF32 with half precision
}

func (g *GPU) routes(q product) (w routes, err error) {
	if w.split, err = g.splits(q); err != nil {
		return w, err
	}
	w.turn = g.turns(q)
	w.half, err = g.halves(q)
	return w, err
}

// plain are the modes in which cuBLAS makes the product.
func (w routes) plain() (when C.int32_t) {
	if !w.split {
		when |= inFull
	}
	if !w.turn {
		when |= inTF32
	}
	if !w.turn && !w.half {
		when |= inHalf
	}
	return when
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
