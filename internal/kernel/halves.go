package kernel

import "unsafe"

// A product of two operands that lie by k, such as a weight's gradient over a large batch, is computed as two, of the first and of the last half
// of k, which are added. Each thread of two then reads the rows of a and b that its own core computed, and no other reads what it
// packs: what one core wrote comes to another at a fifth of the speed of its cache where they share none, as on chips of several dies, and
// a line that both have read is only written again once the other has let it go. The halves are the same whatever the
// number of threads, so that the bits are.
const (
	halvesDepth = 256
	// halvesShare is how many times the numbers of c those of a and b are at least: c passes between the cores, and through memory once
	// more.
	halvesShare = 2
)

// inHalves says whether a product is computed in halves: on AMX tiles, or on multiply-adds in tiles that read a packed.
func (k *kernels[T]) inHalves(layout Layout, m, n, depth int, weights *Weights) bool {
	return layout == TN && k.lanes > 0 && depth >= halvesDepth && halvesShare*m*n <= (m+n)*depth && m*n <= sharedElements && weights == nil &&
		(m > 6 && n >= packColumns || k.splits(m, n, depth, false) > 0)
}

// halvesTask computes a block of each half at a time, in parts that are columns of one half.
type halvesTask[T Float] struct {
	half    [2]product[T]
	blocks  [2][]block[T]
	index   int    // of the blocks
	serial  uint64 // of these
	columns int    // of c, up to whole panels: those of the second half follow
	sums    [2][]T // of a's columns, or nil
}

// computeHalves runs the product, and sums the columns of a, which it reads anyway, unless sums is nil.
func (g *product[T]) computeHalves(w *workspace[T], sums []T) {
	t, parts := &w.tasks.halves, productParts(g.m, g.n, g.k)
	g.byDots, g.byRows, g.parts = false, false, g.kernels.splits(g.m, g.n, g.k, false)
	if g.parts > 0 {
		g.computeSplitHalves(w, sums)
		return
	}
	other := g.halve(w, &t.half, parts == 1 && g.k <= 2*blockK)
	for h := range t.half {
		t.half[h].blocks(0, g.m, func(b block[T]) { t.blocks[h] = append(t.blocks[h], b) })
	}
	if sums != nil {
		w.columns(g.m)
		t.sums = [2][]T{sums, w.sum}
	}
	t.columns = g.weightColumns()
	if parts == 1 {
		t.alone()
	} else {
		t.together(w, parts/2*2)
	}
	g.joinHalves(w, other, sums)
	*t = halvesTask[T]{blocks: [2][]block[T]{t.blocks[0][:0], t.blocks[1][:0]}}
}

// halve makes the halves, and gives the memory of the second's result: none where it is added to the first's. A half of one block can be:
// what is added is the same.
func (g *product[T]) halve(w *workspace[T], half *[2]product[T], add bool) (other *T) {
	k := even(g.k, (g.k+1)/2, 16)
	*half = [2]product[T]{*g, *g}
	half[0].k, half[0].epilogue = k, Epilogue[T]{}
	last := &half[1]
	last.k, last.a, last.b, last.epilogue = g.k-k, at(g.a, k*g.lda), at(g.b, k*g.ldb), Epilogue[T]{}
	if add {
		last.accumulate = true
		return nil
	}
	other = aligned(&w.other, g.m*g.n)
	last.c, last.ldc, last.accumulate = other, g.n, false
	return other
}

// joinHalves adds the second half's result and sums, if there are any.
func (g *product[T]) joinHalves(w *workspace[T], other *T, sums []T) {
	if sums != nil {
		zipSerial(Add, sums, sums, w.sum)
	}
	if other != nil {
		g.addRows(other)
	}
	finish(unsafe.Slice(g.c, (g.m-1)*g.ldc+g.n), g.ldc, 0, g.m, g.n, &g.epilogue)
}

// alone computes the halves one after the other.
func (t *halvesTask[T]) alone() {
	for h := range t.half {
		for t.index = range t.blocks[h] {
			t.serial = products.Add(1)
			t.run(0, h*t.columns, (h+1)*t.columns)
		}
	}
}

// together computes both beside each other.
func (t *halvesTask[T]) together(w *workspace[T], parts int) {
	for t.index = range t.blocks[0] {
		t.serial = products.Add(1)
		if Threads() > 2 {
			t.share(w)
		}
		pool.run(t, parts, 2*t.columns, t.half[0].kernels.panel())
	}
}

// share has all threads pack the blocks that each would else pack for itself.
func (t *halvesTask[T]) share(w *workspace[T]) {
	var blocks [2]block[T]
	for h := range blocks {
		if t.index < len(t.blocks[h]) {
			blocks[h] = t.blocks[h][t.index]
		}
	}
	first := up(blocks[0].numbers()+t.half[0].kernels.lanes, lineElements) * lineElements
	room := aligned(&w.a, first+blocks[1].numbers()+t.half[1].kernels.lanes)
	for h, b := range blocks {
		if b.numbers() == 0 {
			continue
		}
		b.packed = at(room, h*first)
		inParts(&w.tasks.packing, packingTask[T]{&t.half[h], b}, partsOf(b.numbers(), grainPacking), up(b.to-b.from, b.height), 1)
		t.blocks[h][t.index] = b
	}
}

// numbers is how many of a the block has.
func (b *block[T]) numbers() int { return (b.to - b.from) * (b.p1 - b.p0) }

func (t *halvesTask[T]) run(_, from, to int) {
	h := from / t.columns
	if t.index >= len(t.blocks[h]) {
		return
	}
	g, b := &t.half[h], t.blocks[h][t.index]
	from, to = from-h*t.columns, to-h*t.columns
	w := borrow[T]()
	defer w.giveBack()
	if t.sums[h] != nil && from == 0 {
		g.sum(w, b, t.sums[h]) // and has the rows come for packing
	}
	if b.packed == nil {
		b.packed = aligned(&w.kept, b.numbers()+g.kernels.lanes)
		if key := t.serial<<1 | uint64(h); w.keeps != key {
			g.packA(b, b.from, b.to)
			w.keeps = key
		}
	}
	g.tiles(w, b, from, min(to, g.n))
}

// sum adds the sums of a block's columns of a to those of the blocks before.
func (g *product[T]) sum(w *workspace[T], b block[T], sums []T) {
	rows, sums := b.p1-b.p0, sums[b.from:b.to]
	a := unsafe.Slice(g.element(b.from, b.p0), (rows-1)*g.lda+len(sums))
	if b.p0 == 0 {
		columnSums(sums, a, rows, g.lda)
		return
	}
	w.columns(len(sums))
	columnSums(w.sum, a, rows, g.lda)
	zipSerial(Add, sums, sums, w.sum)
}

// addRows adds rows that lie one after the other to c.
func (g *product[T]) addRows(x *T) {
	rows, n := g.m, g.n
	if g.ldc == n {
		rows, n = 1, g.m*n
	}
	for i := range rows {
		row := unsafe.Slice(at(g.c, i*g.ldc), n)
		Zip(Add, row, row, unsafe.Slice(at(x, i*n), n))
	}
}
