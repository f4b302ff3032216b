//go:build gpu

package cuda

// #include "core.h"
import "C"

import (
	_ "embed"
	"os"
	"unsafe"
)

//go:embed split.cu
var splitText string

var splitSource = NewSource("split", splitText)

// Large products of full float32 are made on tensor cores. A float32 is the sum of three bfloat16 numbers, its parts, and of the
// nine products of the parts of two, six reach into float32: a0·b0, a0·b1 + a1·b0, and a0·b2 + a1·b1 + a2·b0. Tensor cores add
// exactly what they multiply, and cut what they add it to, so the first is summed in pieces of k, between which float32 rounds.
// The largest errors are then half those of fused multiply-adds. Henry, Tang and Heinecke, "Leveraging the bfloat16 Artificial
// Intelligence Datatype for Higher-Precision Computations" (2019).

// tensorCards are those whose tensor cores multiply bfloat16 more than six times as fast as others float32.
var tensorCards = map[string]bool{"sm_80": true, "sm_90": true, "sm_100": true, "sm_103": true}

// What pays; a test has it lower. The numbers were found on an H200.
var (
	leastSplit = size{numbers: 1 << 21, depth: 512, products: 1 << 31}
	leastTurn  = size{products: 1 << 32}
)

// splitting is switched off to have cuBLAS make all products of float32.
var splitting = os.Getenv("AEGIS_CUDA_SPLIT") != "off"

// size is how large a product is: numbers of the result, terms of each, and both multiplied.
type size struct{ numbers, depth, products int }

func (q product) large(least size) bool {
	return q.m*q.n >= least.numbers && q.k >= least.depth && q.m*q.n*q.k >= least.products
}

// tensor says whether tensor cores could make a product by cuBLASLt, whose kernels want rows of 16 bytes.
func (g *GPU) tensor(q product) bool {
	return tensorCards[g.arch] && g.fuses() && q.real == Float32 && !q.add && !q.brain && q.m%8 == 0 && q.n%8 == 0 && q.k%8 == 0
}

// splits says whether a product is made of parts, with all that follows it.
func (g *GPU) splits(q product) (bool, error) {
	if !splitting || !g.tensor(q) || !q.large(leastSplit) {
		return false, nil
	}
	if q.then == (Then{}) {
		return true, nil
	}
	pieces := q.pieces(1)
	s := pieces[len(pieces)-1].step
	s.relu, s.aligned = bit(q.then.ReLU), aligned(q.c, q.then.Bias)
	return g.fusesAs(s, q.then.Bias != nil)
}

// parts is how the three parts of a matrix lie: beside one another where its columns are what is summed over, else below.
type parts struct {
	rows, columns int
	beside        bool
}

func (l parts) row() int {
	if l.beside {
		return 3 * l.columns
	}
	return l.columns
}

func (l parts) apart() int {
	if l.beside {
		return l.columns
	}
	return l.rows * l.columns
}

// at is where what is summed over begins at some place of its 3·k, in bytes.
func (l parts) at(k int) int {
	if l.beside {
		return 2 * k
	}
	return 2 * k * l.columns
}

// sides are how the parts of both factors lie.
func (q product) sides() (a, b parts) {
	a, b = parts{q.m, q.k, true}, parts{q.n, q.k, true}
	if q.layout == TN {
		a = parts{q.k, q.m, false}
	}
	if q.layout != NT {
		b = parts{q.k, q.n, false}
	}
	return a, b
}

// piece is a product of parts, with where those of the factors begin.
type piece struct {
	step C.aegis_step
	a, b int
}

// depth is about how many terms tensor cores add up before float32 rounds.
const depth = 320

// pieces are the products, the smallest terms first. Of a the parts lie in their order, of b the other way around.
func (q product) pieces(count int) []piece {
	a, b := q.sides()
	of := func(from, inB, k int, add C.int) piece {
		s := C.aegis_step{
			kind: C.AEGIS_PRODUCT, when: inFull, dtype: bfloat16, aligned: 16, add: add,
			m: C.int32_t(q.n), n: C.int32_t(q.m), k: C.int32_t(k), lda: C.int32_t(b.row()), ldb: C.int32_t(a.row()), ldc: C.int32_t(q.n),
			transposeA: bit(b.beside), transposeB: bit(!a.beside),
		}
		return piece{s, a.at(from), b.at(inB)}
	}
	list := []piece{of(0, 0, 3*q.k, 0), of(0, q.k, 2*q.k, 1)}
	each := roundUp((q.k+count-1)/count, 16)
	for from := 0; from < q.k; from += each {
		list = append(list, of(from, 2*q.k+from, min(each, q.k-from), 1))
	}
	// What adds waits for memory more than for tensor cores: two small tiles a multiprocessor are faster there than the large one
	// that cuBLASLt thinks best.
	for i := range list[1:] {
		list[1+i].step.tile = tile128
	}
	return list
}

const (
	bfloat16 = 14 // CUDA_R_16BF
	tile128  = 20 // CUBLASLT_MATMUL_TILE_128x128
)

// split adds a product of parts. Parts of what is infinite are no numbers; a product in which it occurs is made anew, by a kernel
// that otherwise does nothing.
func (p *Plan) split(q product) error {
	a, b := q.sides()
	at, err := p.gpu.share(6*a.rows*a.columns, 6*b.rows*b.columns)
	if err != nil {
		return err
	}
	wrong, err := p.gpu.mark()
	if err != nil {
		return err
	}
	var args []any
	fours := 0
	for i, l := range []parts{a, b} {
		n := l.rows * l.columns / 4
		fours += n
		args = append(args, at[i], []*Place{q.a, q.b}[i], l.columns, l.row(), l.apart(), n)
	}
	if err := p.Launch(splitSource.Kernel("parts", Float32), Elements(fours), append(args, wrong)...); err != nil {
		return err
	}
	pieces := q.pieces(max(1, (q.k+depth/2)/depth))
	for i, piece := range pieces {
		s, places := piece.step, []*Place{q.c, at[1].Plus(piece.b), at[0].Plus(piece.a)}
		if i == len(pieces)-1 {
			s.relu = bit(q.then.ReLU)
			if q.then.Bias != nil {
				places = append(places, q.then.Bias)
			}
		}
		s.aligned = aligned(places...)
		p.fixed("product of parts", s, places...)
	}
	return p.repair(q, wrong, wrong, 0, 0)
}

// mostRepairing is how many blocks repair a product at most: most often they find nothing to do, and are to find that fast. A test
// has it lower.
var mostRepairing = 256

// repair makes a product anew where something is wrong, clears words that were found of a factor, and has a plan named, unless that
// is 0.
func (p *Plan) repair(q product, wrong, found *Place, words int, plan uint64) error {
	shape := tiles[0].shape(q)
	shape.Blocks = min(shape.Blocks, mostRepairing)
	return p.Launch(productSource.Kernel("repair", q.real), shape, wrong, wrong.Plus(4), q.c, q.a, q.b, q.biasOrAny(), q.m, q.n, q.k,
		q.layout == TN, q.layout == NT, q.then.Bias != nil, q.then.ReLU, found, words, p.gpu.Status(), int64(plan))
}

// turns says whether both factors are transposed before a product in TF32: in other layouts tensor cores take it slower.
func (g *GPU) turns(q product) bool {
	return q.layout == TN && q.then == (Then{}) && g.tensor(q) && q.large(leastTurn)
}

// turned adds c = aᵀ·b as a product of rows with rows.
func (p *Plan) turned(q product) error {
	at, err := p.gpu.share(4*q.k*q.m, 4*q.k*q.n)
	if err != nil {
		return err
	}
	for i, from := range []*Place{q.a, q.b} {
		columns := []int{q.m, q.n}[i]
		tiles := (q.k + 31) / 32 * ((columns + 31) / 32)
		if err = p.Launch(splitSource.Kernel("turn", Float32), Shape{Blocks: tiles, Threads: blockThreads}, at[i], from, q.k, columns); err != nil {
			return err
		}
	}
	q.layout, q.a, q.b = NT, at[0], at[1]
	_, err = p.byCuBLAS(q)
	return err
}

// mark is where kernels of large products note that something is wrong, and how many blocks have mended it: two words, 0 between.
func (g *GPU) mark() (*Place, error) {
	if g.wrong == nil {
		m, err := g.Allocate(8)
		if err != nil {
			return nil, err
		}
		var none [2]uint32
		if err := g.Upload(m.At(0), unsafe.Pointer(&none), 8); err != nil {
			return nil, err
		}
		g.wrong = m
	}
	return g.wrong.At(0), nil
}

// share gives places in memory that all large products work in, one after the other. Where more is wanted than there is, plans made
// before keep what they have.
func (g *GPU) share(bytes ...int) ([]*Place, error) {
	all := 0
	for _, n := range bytes {
		all += roundUp(n, alignment)
	}
	if g.shared == nil || g.shared.bytes < all {
		m, err := g.Allocate(all)
		if err != nil {
			return nil, err
		}
		g.shared = m
	}
	var list []*Place
	at := 0
	for _, n := range bytes {
		list = append(list, g.shared.At(at))
		at += roundUp(n, alignment)
	}
	return list, nil
}
