package kernel

import (
	"cmp"
	"unsafe"
)

// product is one matrix product on compiled tiles. For each block of k that keeps a panel of b in the first-level cache,
// and each block of rows that keeps a in the second: a packed if that pays, b packed a panel at a time just before its use
// unless it is packed already, then tiles of c. Every element of c adds up in the same order however the work is cut and
// whatever is packed.
type product[T Float] struct {
	kernels    *kernels[T]
	layout     Layout
	m, n, k    int
	a, b, c    *T
	lda        int
	ldb        int
	ldc        int
	accumulate bool
	epilogue   Epilogue[T]
	weights    *T // all of b in panels, or nil; see packWeights
	scale      *T // by which the product is added to c, or nil; see AddProduct

	turn *turnTask[T] // what takes the rows of c when they are done, or nil

	parts  int            // into which numbers are split, or 0; see split.go
	parted *partedWeights // all of b, split, or nil
	serial uint64         // below which parts find the rows that an earlier part split, or 0
	own    uint64         // the number of a product of which each thread packs b, or 0

	byRows   bool // parts are rows of c, not columns
	byDots   bool
	backward bool // columns of b are taken from the last to the first
	block    block[T]
	blocked  bool // parts are columns of this one block
	cut      columnsCut
}

// block is a part of a: rows from to to of c, elements p0 to p1 of k.
type block[T Float] struct {
	from, to, p0, p1 int
	height           int // rows of a tile
	packed           *T  // its elements in the order of the tiles, or nil
	split            unsafe.Pointer
}

// Flags of a tile kernel.
const (
	tileAdd  = 1 // c += instead of c =
	tileFull = 2 // b is readable beyond the columns asked for
	tileReLU = 4

	tileTwice = 8 // see tileProduct3

	tileScaled = 16 // c += bias[0] times the tile
)

const (
	// blockK is the rows of a panel of b: 40 KiB of AVX-512 vectors, which stay in a first-level cache of 48.
	blockK = 320
	// deepK is that where the second-level cache feeds the tiles as well: then c is read and written less often. On a Zen 4 with 32 KiB,
	// whose caches 320 rows overflow, it is 2 to 9 % faster, but 4 % slower for TN in float32, whose blocks then have so few rows that b
	// is packed more than once. On Sapphire and Emerald Rapids it is 2 to 10 % faster in float32, 4 % slower for TN, up to 15 % slower in
	// float64.
	deepK = 1040
	// directRows is up to how many rows of c b is read in place; packing it costs a pass that few rows do not repay.
	directRows = 70
	// packColumns is from how many columns of c a is packed.
	packColumns = 128
	// manyRows is from how many rows of c to a thread each takes rows rather than columns, with which every part streams all of a. A b of up
	// to a fourth or a sixteenth of the second-level cache stays there beside others, and a layer's output with the thread that reads it
	// next: that takes 6 to 29 % off predictions. A b that doesn't stay costs 8 to 35 %; on Intel's processors with 2 MiB, whose third-level
	// cache is slow, one that overflows it costs 2 to 11 % up to manyRowsLarge, one that fills most of it up to half as many rows.
	manyRows, manyRowsFourth, manyRowsSixteenth, manyRowsLarge = 256, 128, 32, 1024
	// sharedElements bounds the b that is packed whole before its parts are multiplied.
	sharedElements = 1 << 20
	// ownElements bounds the b that each of two threads packs for itself.
	ownElements = 96 << 10
)

// blockBytes is how much of a stays in the second-level cache: of 1 MiB or more beside AVX-512, of 256 KiB or more beside
// AVX2.
func (g *product[T]) blockBytes() int {
	if g.kernels.maxRows > 6 {
		return 840 << 10
	}
	return 160 << 10
}

// at is the address of element i.
func at[T Float](p *T, i int) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(p), i*int(unsafe.Sizeof(*p))))
}

func sizeOf[T Float]() int {
	var z T
	return int(unsafe.Sizeof(z))
}

// even divides n into the fewest blocks of at most most, as equal as multiples of unit allow, and returns their size.
func even(n, most, unit int) int {
	if n <= most {
		return n
	}
	blocks := (n + most - 1) / most
	return ((n+blocks-1)/blocks + unit - 1) / unit * unit
}

// dotRowLimit is up to how many rows of c a transposed b is read in place by dot products, which saves packing it but
// ends each product with a fold: measured equal at k/32 rows, and at 10 where k is large. Weights that are
// packed once take tiles from two rows on.
func dotRowLimit(k int) int { return max(1, min(10, k/32)) }

// isTiny says whether dot products of rows are taken because PyTorch's library takes them: a product of so few numbers then
// adds up in the same order as there (MKL on AVX-512, found by trying all sizes), and small models give the same bits.
func isTiny(m, n, k int) bool {
	return m > 1 && n > 1 && (n < 4 && m*n < 32 || n <= 11 && k <= n && m < n)
}

// panel is the columns of b that lie side by side when packed.
func (k *kernels[T]) panel() int { return 2 * k.lanes }

// blockDepth is how many elements of k a block has.
func (g *product[T]) blockDepth() int { return g.kernels.blockDepth(g.layout, g.k) }

func (k *kernels[T]) blockDepth(layout Layout, depth int) int {
	return even(depth, max(blockK, k.depth[layout]), 16)
}

// compute runs the product, in parts on the pool's workers where it is large. w holds the product, and lends memory.
func (g *product[T]) compute(w *workspace[T], weights *Weights) {
	parts := productParts(g.m, g.n, g.k)
	panel := g.kernels.panel()
	g.byDots = g.layout == NT && (g.m <= dotRowLimit(g.k) && (g.m == 1 || weights == nil) || isTiny(g.m, g.n, g.k))
	g.byRows = g.turn != nil || g.m > g.n && g.n < 4*panel*Threads() || g.layout != TN && g.m >= g.rowsOfThread()*Threads()
	if g.turn == nil { // what is swapped is for multiply-adds
		g.parts = g.kernels.splitsBy(g.m, g.n, g.k, weights)
	}
	if weights != nil && !g.byDots {
		g.useWeights(w, weights)
	}
	switch {
	case g.parts > 0:
		g.computeSplit(w)
	case parts == 1:
		g.part(w, 0, 0)
	case g.byDots:
		pool.run(g, parts, g.n, panel)
	case g.byRows:
		g.packForRows(w)
		unit := g.kernels.maxRows
		if g.turn != nil {
			unit = lineElements
		}
		pool.run(g, parts, g.m, unit)
	case g.packsA(g.m, g.n):
		g.blocks(0, g.m, func(b block[T]) {
			b.packed = aligned(&w.a, (b.to-b.from)*(b.p1-b.p0)+g.kernels.lanes)
			tiles := (b.to - b.from + b.height - 1) / b.height
			inParts(&w.tasks.packing, packingTask[T]{g, b}, partsOf((b.to-b.from)*(b.p1-b.p0), grainPacking), tiles, 1)
			g.block, g.blocked = b, true
			g.cut = g.cutColumns(b.from, b.to, b.height, parts)
			pool.run(g, g.cut.parts, g.n, panel)
		})
	default:
		g.cut = g.cutColumns(0, g.m, g.kernels.tileHeight(g.m), parts)
		pool.run(g, g.cut.parts, g.n, panel)
	}
}

// coreCache is the size of a core's second-level cache: 1 MiB where that is not known; a hypervisor may make up more than there is.
var coreCache = cmp.Or(min(secondCache(), 2<<20), 1<<20)

// rowsOfThread is from how many rows to a thread each takes rows of its own.
func (g *product[T]) rowsOfThread() int {
	switch bytes := g.n * g.k * sizeOf[T](); {
	case bytes <= coreCache/16:
		return manyRowsSixteenth
	case bytes <= coreCache/4:
		return manyRowsFourth
	case coreCache < 2<<20:
	case bytes > coreCache:
		return manyRowsLarge
	case bytes > coreCache/8*5:
		return manyRowsLarge / 2
	}
	return manyRows
}

// drop makes the product ready for the next, and lets its operands go. Tiny ones notice when all of it is cleared.
func (g *product[T]) drop() {
	g.a, g.b, g.c, g.weights, g.scale, g.turn, g.parted, g.epilogue.Bias, g.epilogue.Output, g.serial = nil, nil, nil, nil, nil, nil, nil, nil, nil, 0
	if g.blocked {
		g.blocked, g.block = false, block[T]{}
	}
	g.cut.parts, g.own, g.backward, g.parts = 0, 0, false, 0
}

// run computes one part.
func (g *product[T]) run(part, from, to int) {
	w := borrow[T]()
	defer w.giveBack()
	if g.cut.parts > 0 {
		g.cut.each(part, g.n, func(i0, i1, j0, j1 int) { g.rectangle(w, i0, i1, j0, j1) })
		return
	}
	g.part(w, from, to)
}

// part computes one part: all of it where from and to are 0.
func (g *product[T]) part(w *workspace[T], from, to int) {
	i0, i1, j0, j1 := 0, g.m, 0, g.n
	switch {
	case to == 0:
	case g.byRows && !g.byDots:
		i0, i1 = from, to
	default:
		j0, j1 = from, to
	}
	switch {
	case g.byDots:
		g.dots(w, j0, j1)
		g.differentiate(0, g.m, j0, j1)
	case g.parts > 0:
		g.splitBlocks(w, i0, i1, j0, j1)
		g.differentiate(i0, i1, j0, j1)
	case g.own != 0:
		own := *g
		own.weights = g.packOwn(w)
		own.rectangle(w, i0, i1, j0, j1)
	default:
		g.rectangle(w, i0, i1, j0, j1)
	}
}

// rectangle computes rows i0 to i1 of columns j0 to j1, or their share of a block.
func (g *product[T]) rectangle(w *workspace[T], i0, i1, j0, j1 int) {
	if g.blocked {
		b := g.block
		b.packed = at(b.packed, (i0-b.from)*(b.p1-b.p0))
		b.from, b.to = i0, i1
		g.tiles(w, b, j0, j1)
		if b.p1 == g.k {
			g.differentiate(i0, i1, j0, j1)
		}
		return
	}
	pack := g.packsA(i1-i0, j1-j0)
	g.blocks(i0, i1, func(b block[T]) {
		if pack {
			b.packed = aligned(&w.a, (b.to-b.from)*(b.p1-b.p0)+g.kernels.lanes)
			g.packA(b, b.from, b.to)
		}
		g.tiles(w, b, j0, j1)
		if b.p1 == g.k {
			g.differentiate(b.from, b.to, j0, j1)
			if g.turn != nil {
				g.turn.run(0, b.from, b.to)
			}
		}
	})
}

// tileHeight is how many rows the tiles of m rows of c have.
func (k *kernels[T]) tileHeight(m int) int {
	height := even(m, k.maxRows, 1)
	if k.maxRows == 6 && m > 6 && height < 5 {
		height = 6
	}
	return height
}

// blocks calls f for the blocks of rows i0 to i1.
func (g *product[T]) blocks(i0, i1 int, f func(block[T])) {
	height := g.kernels.tileHeight(i1 - i0)
	kc := g.blockDepth()
	mc := max(1, g.blockBytes()/sizeOf[T]()/kc/height) * height
	if g.scale != nil && g.weights != nil {
		mc = height // c comes from memory: few rows that are read along are foreseen; b is read along, too
	}
	for p0 := 0; p0 < g.k; p0 += kc {
		for i := i0; i < i1; i += mc {
			f(block[T]{from: i, to: min(i+mc, i1), p0: p0, p1: min(p0+kc, g.k), height: height})
		}
	}
}

// sharesLines says that rows so many bytes apart fall on one set of lines of the first-level cache, of which there are fewer than rows
// of a tile.
func sharesLines(stride int) bool { return stride%4096 == 0 }

// packsA says whether a is packed for m rows and n columns of c: where its elements lie far apart, or its rows share lines.
func (g *product[T]) packsA(m, n int) bool {
	far := g.layout == TN || sharesLines(g.lda*sizeOf[T]())
	return far && n >= packColumns && m > 6
}

// packsB says whether b is packed for m rows of c.
func (g *product[T]) packsB(m int) bool { return g.layout == NT || m > directRows }

// strides gives the bytes between the rows of a, and between the elements of a row.
func (g *product[T]) strides() (row, step int) {
	row, step = g.lda*sizeOf[T](), sizeOf[T]()
	if g.layout == TN {
		return step, row
	}
	return row, step
}

// element is the address of row i and element p of k in a.
func (g *product[T]) element(i, p int) *T {
	if g.layout == TN {
		return at(g.a, p*g.lda+i)
	}
	return at(g.a, i*g.lda+p)
}

// activate applies an activation that the tiles do not know to rows and columns of c.
func (g *product[T]) activate(i0, i1, j0, j1 int) {
	e := &g.epilogue
	if e.Activation == Identity || e.Activation == ReLU {
		return
	}
	for i := i0; i < i1; i++ {
		row := unsafe.Slice(at(g.c, i*g.ldc+j0), j1-j0)
		Map(e.Activation, row, row, e.A, e.B)
	}
}

// differentiate takes rows and columns of c that are done through the epilogue's derivative, while they lie in the cache.
func (g *product[T]) differentiate(i0, i1, j0, j1 int) {
	if g.epilogue.Output != nil {
		differentiate(&g.epilogue, unsafe.Slice(g.c, (g.m-1)*g.ldc+g.n), g.ldc, i0, i1, j0, j1)
	}
}

// tiles computes columns j0 to j1 of a block's rows.
func (g *product[T]) tiles(w *workspace[T], b block[T], j0, j1 int) {
	size, lanes, panel := sizeOf[T](), g.kernels.lanes, g.kernels.panel()
	kk := b.p1 - b.p0
	packB := g.weights == nil && g.packsB(g.m)
	masked := g.kernels.maxRows > 6 // tiles that can read part of a vector of b
	wide := 1                       // panels a step: more where a tile has few rows
	for wide < 4 && b.height <= g.kernels.wideRows(2*wide) {
		wide *= 2
	}
	flags, last := 0, b.p1 == g.k
	if g.accumulate || b.p0 > 0 {
		flags |= tileAdd
	}
	if last && g.epilogue.Activation == ReLU {
		flags |= tileReLU
	}
	if g.scale != nil {
		flags |= tileScaled
	}
	for j := j0; j < j1; {
		panels := wide
		for panels > 1 && j1-j <= (panels-1)*panel {
			panels /= 2
		}
		width := min(panels*panel, j1-j)
		columns := width - (panels-1)*panel // of the last panel
		vectors := 1 + log2(panels)         // log2 of vectors a row
		if panels == 1 && width <= lanes {
			vectors = 0
		}
		whole := columns == panel || columns == lanes && vectors == 0
		var bj *T
		ldb, next := panel*size, kk*panel*size
		inPlace := g.weights == nil && !packB && (masked || whole)
		switch {
		case inPlace:
			bj, ldb, next = at(g.b, b.p0*g.ldb+j), g.ldb*size, panel*size
		case g.weights != nil:
			bj = at(g.weights, g.weightsAt(b.p0, j, kk))
		default:
			buffer := aligned(&w.b, wide*panel*kk)
			for x := 0; x < width; x += panel {
				g.packPanel(at(buffer, x*kk), j+x, min(panel, width-x), b.p0, kk)
			}
			bj = buffer
		}
		tileFlags := flags
		if whole || !inPlace {
			tileFlags |= tileFull
		}
		table := &g.kernels.tile[vectors]
		if b.packed != nil && !inPlace && vectors == 1 {
			table = &g.kernels.tilePacked
		}
		var bias *T
		if last && g.epilogue.Bias != nil {
			bias = &g.epilogue.Bias[j]
		}
		if g.scale != nil {
			bias = g.scale
		}
		asks := packB && g.layout != NT && j+width < j1
		rows, step := g.strides()
		for i := b.from; i < b.to; i += b.height {
			r := min(b.height, b.to-i)
			if asks {
				g.askForPanel(b, i, j+width, min(width, j1-j-width))
			}
			ai := g.element(i, b.p0)
			if b.packed != nil {
				ai, rows, step = at(b.packed, (i-b.from)*kk), size, r*size
			}
			table[r](kk, ai, rows, step, bj, ldb, next, at(g.c, i*g.ldc+j), g.ldc*size, bias, columns, tileFlags)
		}
		j += width
	}
	if last {
		g.activate(b.from, b.to, j0, j1)
	}
}

// askForPanel has rows of b that are packed next come to the second-level cache, those that are the share of the tile at row i: each is
// a few lines far from the others, which the processor doesn't foresee, and to wait for them took up to a fifth of a product.
func (g *product[T]) askForPanel(b block[T], i, j, columns int) {
	tiles := (b.to - b.from + b.height - 1) / b.height
	tile, kk, stride := (i-b.from)/b.height, b.p1-b.p0, g.ldb*sizeOf[T]()
	p0, p1 := tile*kk/tiles, (tile+1)*kk/tiles
	g.kernels.askForRows(p1-p0, at(g.b, (b.p0+p0)*g.ldb+j), stride, (columns*sizeOf[T]()+lineBytes-1)/lineBytes)
}

// wideRows is the most rows of a tile of that many panels.
func (k *kernels[T]) wideRows(panels int) int {
	table := &k.tile[1+log2(panels)]
	r := 0
	for r < maxTileRows && table[r+1] != nil {
		r++
	}
	return r
}

func log2(n int) (l int) {
	for n > 1 {
		n /= 2
		l++
	}
	return l
}

// dots computes columns j0 to j1 of few rows of c as dot products of rows.
func (g *product[T]) dots(w *workspace[T], j0, j1 int) {
	const columns = 4
	size, most := sizeOf[T](), g.kernels.maxDots
	out := unsafe.Slice(aligned(&w.out, maxDotRows*columns), maxDotRows*columns)
	n := j1 - j0
	for j := j0; j < j1; j += columns {
		from, stride, count := j, g.ldb*size, columns
		switch {
		case n < columns: // one at a time: the same row four times over
			from, stride, count = j, 0, 1
		case j+columns > j1: // the last four, some of them known already
			from = j1 - columns
		}
		for i := 0; i < g.m; i += most {
			rows := min(most, g.m-i)
			g.kernels.dots[rows](g.k, at(g.a, i*g.lda), g.lda*size, at(g.b, from*g.ldb), stride, &out[0])
			for r := range rows {
				for x := j; x < from+count; x++ {
					v, to := out[r*columns+x-from], at(g.c, (i+r)*g.ldc+x)
					if g.accumulate {
						v += *to
					}
					if g.epilogue.Bias != nil {
						v += g.epilogue.Bias[x]
					}
					if g.epilogue.Activation == ReLU && v < 0 {
						v = 0
					}
					*to = v
				}
			}
		}
		if n < columns {
			j += 1 - columns
		}
	}
	g.activate(0, g.m, j0, j1)
}
