package kernel

import (
	"math"
	"slices"
	"sync/atomic"
	"unsafe"
)

// Products on AMX tiles: each float32 is split into up to three bfloat16 parts, and the products of parts that matter add up
// in float32. Three parts and six products err less than a float32 multiply-add does. A panel of small numbers, whose parts
// would not be normal ones, is scaled; what holds an infinity, NaN or a number near the largest goes to the tiles of
// multiply-adds instead.

// splitter is the kernels of AMX, by parts; see _asm/amx.go.
type splitter struct {
	split         [4]func(dst unsafe.Pointer, src *float32, stride, second, advance, steps int, scale float32) (most, least uint32)
	product       [4]func(config, a, b unsafe.Pointer, steps, first int, block *float32, rows int, c *float32, ldc int, bias *float32, columns, flags int, unscale float32, ahead int)
	besideRows    [4]func(config, a, b unsafe.Pointer, src *float32, stride, k, first int, block *float32, least, most uint32, c *float32, ldc int, bias *float32, columns, flags int, unscale float32) (done bool)
	besideColumns [4]func(config, a, b unsafe.Pointer, src *float32, stride, steps, first int, block *float32, least, most uint32, rows int, c *float32, ldc int, bias *float32, columns, flags int, unscale float32) (done bool)
	// of convolutions; see _asm/amx_slide.go
	pairs  func(dst unsafe.Pointer, part int, src *float32, second, vectors int, scale float32) (most, least uint32)
	slide  func(config, a, b unsafe.Pointer, offsets *int, stride, part, steps, first int, block *float32, rows int, c *float32, ldc int, bias *float32, columns, flags int, unscale float32)
	config unsafe.Pointer
}

const (
	splitSide  = 32   // rows and columns of a block of c, and elements of k in a step
	splitTile  = 1024 // bytes
	splitDepth = 1024 // elements of k in a block
	// sumDepth is how many of them add up before the others do: all of them in one go would err more than the multiply-adds.
	sumDepth = 512
	// splitBytes bounds the rows of a that stay, split, in the second-level cache, of 2 MiB on every processor that has tiles;
	// measured best of 0.5 to 1.25 MiB where b is split already. Where it isn't, it is split once for each such block, and all rows in
	// one block of up to splitBytesFresh are up to a quarter faster.
	splitBytes, splitBytesFresh = 3 << 18, 5 << 18

	// splitSteps bounds the steps of one call, about 0.1 µs each: assembly can't be preempted.
	splitSteps = 1024
	// splitOwnRows is from how many rows of c to a thread each takes rows of its own, rather than columns. It then splits a part of a,
	// and a layer's output stays with the thread that reads it next, but it reads all of b. That pays from fewer rows on where b, split
	// already, has up to splitOwnElements, with which its core's second-level cache holds the b of other layers, too, and where b isn't split
	// but smaller than a. Predictions take 4 to 40 % less, steps 4 to 12 %.
	splitOwnRows, splitOwnRowsFresh, splitOwnRowsSmall = 64, 200, 32
	splitOwnElements                                   = 200 << 10
	// splitOwnB is up to how many elements each thread splits all of b for itself.
	splitOwnB = 32 << 10
	// splitOwnColumns is how many columns of c a thread has at least.
	splitOwnColumns = 64
	// Where up to backwardRows rows are multiplied by a kept b that may just fit the second-level caches beside the rest, of backwardLeast to
	// backwardMost elements, every second product takes its columns from the last to the first, backwardColumns at a time: what the one
	// before read last is still there. Prediction takes 2 to 10 % less; with more rows b is read less often, and of a larger one nothing is left.
	backwardRows, backwardColumns = 64, 64
	backwardLeast, backwardMost   = 100 << 10, 420 << 10
	// Where a core is slower than another, a part has splitMoreColumns or splitFewRows, so that who is done takes over the
	// other's: 1 to 5 % slower on equal cores, a quarter faster where one has half the speed. splitMoreRows cost nothing.
	splitMoreColumns            = 128
	splitMoreRows, splitFewRows = 256, 64
)

// Cycles a multiply-add of the two ways, a number of a and b to split, and a number of c to store, measured on Sapphire Rapids: by
// these it is decided whether splitting pays.
const (
	cyclesFMA, cyclesTiles           = 0.040, 0.019 // of six products of parts
	cyclesRow, cyclesColumn, cyclesC = 0.7, 0.9, 0.25
	halfRows, aloneRows              = 22, 27 // what up to 16 rows take, in rows of whole panels; alone, they wait for b
)

// alwaysSplit lets tests multiply on tiles whatever it costs.
var alwaysSplit bool

// splits says into how many parts the numbers of an m×n×k product are split: 0 where that doesn't pay. weights says that b is
// split already, or is worth it.
func (k *kernels[T]) splits(m, n, depth int, weights bool) int {
	if k.splitter == nil || !alwaysSplit && (m <= splitSide/4 || n < splitSide || depth < splitSide) {
		return 0
	}
	const threads = 2 // whatever is set, for the same bits
	parts := MatmulPrecision().parts()
	whole := func(x int) float64 { return float64(up(x, splitSide) * splitSide) }
	rows, columns, elements := float64(m), float64(n), float64(depth)
	cost := rowsCost(m) * whole(n) * whole(depth) * cyclesTiles * float64(parts*(parts+1)) / 12
	times := 1.0
	if !ownRows(m, n, depth, threads, weights) {
		times = float64(threads)
	}
	cost += cyclesRow*times*rows*elements + cyclesC*rows*columns
	if !weights {
		cost += cyclesColumn * columns * elements
	}
	if cost > cyclesFMA*rows*columns*elements && !alwaysSplit {
		return 0
	}
	return parts
}

// rowsCost is what tiles of m rows cost, in rows of whole panels.
func rowsCost(m int) float64 {
	panels := m / splitSide * splitSide
	switch left := m - panels; {
	case left == 0:
		return float64(panels)
	case left > splitSide/2:
		return float64(panels + splitSide)
	case panels > 0:
		return float64(panels + halfRows)
	}
	return aloneRows
}

// splitThreads is how many threads share a product: each has columns enough to be worth splitting all rows of a, or rows of
// its own.
func splitThreads(m, n, k int) int {
	return min(partsOf(m*n*k, grainProduct), Threads(), max(n/splitOwnColumns, m/splitSide, 1))
}

// ownRows says whether each of the threads takes rows of c, rather than columns; weights that b is split already.
func ownRows(m, n, k, threads int, weights bool) bool {
	least := splitOwnRowsFresh
	switch {
	case weights && n*k <= splitOwnElements, !weights && m >= n:
		least = splitOwnRowsSmall
	case weights:
		least = splitOwnRows
	}
	return m >= least*threads && areEven(up(m, splitSide), threads) || n < splitSide*threads
}

// areEven says that so many threads have work nearly alike where so many panels are cut among them.
func areEven(panels, threads int) bool { return 7*threads*up(panels, threads) <= 8*panels }

// stepBytes is what 32 rows or columns take for a step.
func (g *product[T]) stepBytes() int { return g.parts * 2 * splitTile }

func up(n, unit int) int { return (n + unit - 1) / unit }

// computeSplit runs the product on AMX tiles, in parts of rows or columns of c. What a part reads again and again it has split
// itself, so that it lies in its core's cache.
func (g *product[T]) computeSplit(w *workspace[T]) {
	parts, most := splitThreads(g.m, g.n, g.k), partsOf(g.m*g.n*g.k, grainProduct)
	finer := parts > 1 && pool.pace.uneven()
	if g.byRows = ownRows(g.m, g.n, g.k, parts, g.parted != nil); !g.byRows {
		if finer && g.k <= splitDepth && g.m <= g.rowsIn(splitBytesFresh) {
			parts = min(most, max(parts, min(2*parts, g.n/splitOwnColumns), g.n/splitMoreColumns))
			g.serial = products.Add(1)
		}
		if g.parted != nil && g.layout != TN && g.m <= backwardRows && backwardLeast <= g.n*g.k && g.n*g.k <= backwardMost {
			g.backward = g.parted.uses.Add(1)%2 == 0
		}
		pool.run(g, parts, g.n, splitSide)
		return
	}
	if g.parted == nil && splitOwnB < g.n*g.k && g.n*g.k <= sharedElements {
		g.splitAll(w, &w.parted, &w.b)
		g.parted = &w.parted
	}
	if parts > 1 && g.parted != nil {
		rows := splitMoreRows
		if finer {
			rows = splitFewRows
		}
		parts = min(most, max(parts, g.m/rows))
	}
	pool.run(g, parts, g.m, splitSide)
}

// products counts the products whose parts take over rows that a part before has split.
var products atomic.Uint64

// rowsIn is how many rows of a take no more than that many bytes when they are split.
func (g *product[T]) rowsIn(bytes int) int {
	return max(1, bytes/(up(splitDepthOf(g.k), splitSide)*g.stepBytes())) * splitSide
}

// rowsAtOnce is how many of the rows are split at a time for that many columns.
func (g *product[T]) rowsAtOnce(rows, columns int) int {
	switch few := g.rowsIn(splitBytesFresh); {
	case rows <= few && (g.parted == nil || g.serial != 0): // then b is split once
		return few
	case g.parted != nil && up(columns, splitSide)*up(splitDepthOf(g.k), splitSide)*g.stepBytes() < splitBytes/2: // b stays in the cache, too
		return g.rowsIn(splitBytes / 4)
	}
	return g.rowsIn(splitBytes)
}

// splitBlocks computes rows i0 to i1 and columns j0 to j1 of c.
func (g *product[T]) splitBlocks(w *workspace[T], i0, i1, j0, j1 int) {
	kc, mc := splitDepthOf(g.k), g.rowsAtOnce(i1-i0, j1-j0)
	for p0 := 0; p0 < g.k; p0 += kc {
		for i := i0; i < i1; i += mc {
			b := block[T]{from: i, to: min(i+mc, i1), p0: p0, p1: min(p0+kc, g.k)}
			b.height = even(b.to-b.from, g.kernels.maxRows, 1)
			j := j0
			switch {
			case g.serial != 0 && g.serial == w.serial:
				b.split = w.split
			case g.backward:
				g.splitBackward(w, b, j0, j1)
				continue
			case g.layout != TN:
				j = g.splitBeside(w, &b, j0, j1)
			default:
				g.splitRows(w, &b)
			}
			g.splitColumns(w, b, j, j1)
		}
	}
}

// splitBackward computes columns j0 to j1 of a block's rows from the last to the first.
func (g *product[T]) splitBackward(w *workspace[T], b block[T], j0, j1 int) {
	last := j0 + (j1-j0-1)/splitSide*splitSide
	g.splitBeside(w, &b, last, j1)
	for j := last; j > j0; j -= backwardColumns {
		g.splitColumns(w, b, max(j0, j-backwardColumns), j)
	}
}

// splitRows splits a block of a.
func (g *product[T]) splitRows(w *workspace[T], b *block[T]) {
	g.splitRoom(w, b)
	for i := b.from; i < b.to; i += splitSide {
		g.splitRowPanel(w, b, i)
	}
}

// splitRoom takes memory for a block of a, split.
func (g *product[T]) splitRoom(w *workspace[T], b *block[T]) {
	b.split = bytesOf(&w.splitRows, up(b.to-b.from, splitSide)*g.panelBytes(b)+g.stepBytes())
	w.unscale = w.unscale[:0]
	w.split, w.serial = b.split, g.serial
}

// panelBytes is what a panel takes in a block, split.
func (g *product[T]) panelBytes(b *block[T]) int { return up(b.p1-b.p0, splitSide) * g.stepBytes() }

// splitRowPanel splits the panel from row i of a block on.
func (g *product[T]) splitRowPanel(w *workspace[T], b *block[T], i int) {
	dst := unsafe.Add(b.split, (i-b.from)/splitSide*g.panelBytes(b))
	unscale := g.splitPanel(w, dst, g.element(i, b.p0), g.lda, g.layout == TN, true, min(splitSide, b.to-i), b.p1-b.p0)
	w.unscale = append(w.unscale, unscale)
}

// splitBeside is splitRows beside the products with a panel of b from column j on, and says where that ends.
func (g *product[T]) splitBeside(w *workspace[T], b *block[T], j, j1 int) (next int) {
	g.splitRoom(w, b)
	panel := g.columnPanel(w, b, j, min(j+splitSide, j1))
	s, square := g.kernels.splitter, g.square(w)
	for i := b.from; i < b.to; i += splitSide {
		part := *b
		part.from, part.to = i, min(i+splitSide, b.to)
		if part.to-i == splitSide && panel.unscale > 0 {
			c, bias, flags := g.store(b, i, j)
			dst, src := unsafe.Add(b.split, (i-b.from)/splitSide*g.panelBytes(b)), (*float32)(unsafe.Pointer(g.element(i, b.p0)))
			if s.besideRows[g.parts](s.config, dst, panel.first, src, 4*g.lda, b.p1-b.p0, firstSteps(b.p1-b.p0), square, lowestSplit-1, highestSplit, c, 4*g.ldc, bias, panel.columns, flags, panel.unscale) {
				w.unscale = append(w.unscale, 1)
				if b.p1 == g.k {
					g.activate(i, part.to, j, j+panel.columns)
				}
				continue
			}
		}
		g.splitRowPanel(w, b, i)
		g.panelProducts(w, b, part, panel, j, w.unscale[len(w.unscale)-1])
	}
	return j + panel.columns
}

// bytesOf is aligned for bytes.
func bytesOf[T Float](buffer *[]T, n int) unsafe.Pointer {
	return unsafe.Pointer(aligned(buffer, up(n, sizeOf[T]())))
}

// The numbers that may be split are 0 and 2^-100 to 2^60 in size: no part of them is subnormal, no product of parts
// overflows. By twice their bits, so that the sign is gone.
const (
	lowestSplit  = 2 * 27 << 23
	highestSplit = 2 * 187 << 23
)

// splitPanel splits up to 32 rows of a or columns of b over kk elements of k: deep says that these lie a stored row
// apart, rows that tiles of a are wanted, not of b. A panel of small numbers, as gradients become, is split times a power of 2.
// It returns the inverse of that, or 0 where a number could not be split.
func (g *product[T]) splitPanel(w *workspace[T], dst unsafe.Pointer, src *T, ld int, deep, rows bool, lines, kk int) (unscale float32) {
	return splitRaised(func(scale float32) (most, least uint32) {
		return g.splitScaled(w, dst, src, ld, deep, rows, lines, kk, scale)
	})
}

// splitRaised splits numbers times a scale, by what split says of them for a scale of 1; see splitPanel.
func splitRaised(split func(scale float32) (most, least uint32)) (unscale float32) {
	most, least := split(1)
	if most <= highestSplit && least >= lowestSplit-1 {
		return 1
	}
	raise := (lowestSplit-(least+1))>>24 + 1 // exponents
	if least+1 < 1<<24 {                     // subnormal: up to 23 leading zeros
		raise += 23
	}
	if most > highestSplit || most>>24+raise > highestSplit>>24 {
		return 0
	}
	scale := math.Float32frombits((127 + raise) << 23)
	split(scale)
	return 1 / scale
}

// splitScaled is splitPanel for one scale; most and least are what split says.
func (g *product[T]) splitScaled(w *workspace[T], dst unsafe.Pointer, src *T, ld int, deep, rows bool, lines, kk int, scale float32) (most, least uint32) {
	least = math.MaxUint32
	acrossLine, acrossK := ld, 1
	if deep {
		acrossLine, acrossK = 1, ld
	}
	for half := range 2 {
		to, have := unsafe.Add(dst, half*splitTile), min(16, lines-16*half)
		if have <= 0 && rows {
			continue // no tile of these is read, or what comes of it is not stored
		}
		if have <= 0 {
			for x := range up(kk, splitSide) * g.parts {
				clear(unsafe.Slice((*byte)(unsafe.Add(to, 2*splitTile*x)), splitTile))
			}
			continue
		}
		for p := 0; p < kk; {
			from, stride, deep, steps := at(src, 16*half*acrossLine+p*acrossK), ld, deep, 1
			if depth := min(splitSide, kk-p); have < 16 || depth < splitSide {
				from, stride = w.edge(from, acrossLine, acrossK, have, depth, deep)
			} else if deep != rows {
				steps = (kk - p) / splitSide
			} else if !deep {
				steps = min((kk-p)/splitSide, turnedSteps)
			}
			if deep == rows {
				from, stride = w.turn(g.kernels.transpose, from, stride, deep, steps)
				deep = !deep
			}
			high, low := g.splitLines(unsafe.Add(to, p/splitSide*g.stepBytes()), from, stride, deep, steps, scale)
			most, least = max(most, high), min(least, low)
			p += steps * splitSide
		}
	}
	return most, least
}

// splitLines splits steps of 16 lines, into the tiles that lie as they do.
func (g *product[T]) splitLines(dst unsafe.Pointer, src *T, stride int, deep bool, steps int, scale float32) (most, least uint32) {
	bytes := stride * sizeOf[T]()
	second, advance := 16*sizeOf[T](), splitSide*sizeOf[T]()
	if deep {
		second, advance = 16*bytes, splitSide*bytes
	}
	return g.kernels.splitter.split[g.parts](dst, (*float32)(unsafe.Pointer(src)), bytes, second, advance, steps, scale)
}

// turnedSteps bounds the steps that are transposed at a time: 2 are up to a tenth faster than 1, 8 slower.
const turnedSteps = 2

// turn transposes the 16 lines of steps, of one if they are deep.
func (w *workspace[T]) turn(transpose func(blocks int, dst *T, dstStride int, src *T, srcStride, rows, width int), src *T, stride int, deep bool, steps int) (turned *T, turnedStride int) {
	size := sizeOf[T]()
	turned = aligned(&w.turned, 16*splitSide*turnedSteps)
	if !deep {
		transpose(2*steps, turned, 16*size, src, stride*size, 16, 16)
		return turned, 16
	}
	transpose(1, turned, splitSide*size, src, stride*size, 16, 16)
	transpose(1, at(turned, 16), splitSide*size, at(src, 16*stride), stride*size, 16, 16)
	return turned, splitSide
}

// edge copies a part of a panel at the edge of its matrix between zeros.
func (w *workspace[T]) edge(src *T, acrossLine, acrossK, lines, depth int, deep bool) (copied *T, stride int) {
	copied, stride = aligned(&w.square, 16*splitSide), splitSide
	clear(unsafe.Slice(copied, 16*splitSide))
	count, across, run := lines, acrossLine, depth // what lies side by side
	if deep {
		stride, count, across, run = 16, depth, acrossK, lines
	}
	for x := range count {
		copy(unsafe.Slice(at(copied, x*stride), run), unsafe.Slice(at(src, x*across), run))
	}
	return copied, stride
}

// splitColumns computes columns j0 to j1 of a block's rows.
func (g *product[T]) splitColumns(w *workspace[T], b block[T], j0, j1 int) {
	for j := j0; j < j1; {
		panel, from := g.columnsBeside(w, &b, j, j1)
		if from == b.from {
			panel = g.columnPanels(w, &b, j, j1)
		}
		for i := from; i < b.to; {
			first, part := (i-b.from)/splitSide, b
			end := first + 1
			for end < len(w.unscale) && w.unscale[end] == w.unscale[first] {
				end++
			}
			part.from, part.to = i, min(b.from+end*splitSide, b.to)
			i = part.to
			g.panelProducts(w, &b, part, panel, j, w.unscale[first])
		}
		j += panel.columns
	}
}

// columnsBeside splits the panel of b from column j on beside the products with a block's first rows, and says from which row
// on products are left: all of them where the panel can't be split so. It pays where the columns lie side by side, 1 to 12 % of a
// product; turning them around first costs what it saves.
func (g *product[T]) columnsBeside(w *workspace[T], b *block[T], j, j1 int) (panel columnPanels, from int) {
	kk, to := b.p1-b.p0, min(b.from+splitSide, b.to)
	if g.parted != nil || g.layout != NN || j1-j < splitSide || kk%splitSide != 0 || w.unscale[0] < 0x1p-120 {
		return panel, b.from
	}
	panel = columnPanels{splitSide, bytesOf(&w.panel, g.panelBytes(b)+g.stepBytes()), 1}
	c, bias, flags := g.store(b, b.from, j)
	s := g.kernels.splitter
	if !s.besideColumns[g.parts](s.config, b.split, panel.first, (*float32)(unsafe.Pointer(at(g.b, b.p0*g.ldb+j))), 4*g.ldb, kk/splitSide, firstSteps(kk), g.square(w), lowestSplit-1, highestSplit, to-b.from, c, 4*g.ldc, bias, splitSide, flags, w.unscale[0]) {
		return panel, b.from
	}
	if b.p1 == g.k {
		g.activate(b.from, to, j, j+splitSide)
	}
	return panel, to
}

// panelProducts multiplies the rows of a part of a block, which have that unscale, by panels of b.
func (g *product[T]) panelProducts(w *workspace[T], b *block[T], part block[T], panel columnPanels, j int, unscale float32) {
	back := unscale * panel.unscale
	if back < 0x1p-120 { // 0, or too small to be a factor
		part.height = even(part.to-part.from, g.kernels.maxRows, 1)
		g.tiles(w, part, j, j+panel.columns)
		return
	}
	c, bias, flags := g.store(b, part.from, j)
	s := g.kernels.splitter
	split := unsafe.Add(b.split, (part.from-b.from)/splitSide*g.panelBytes(b))
	s.product[g.parts](s.config, split, panel.first, up(b.p1-b.p0, splitSide), firstSteps(b.p1-b.p0), g.square(w), part.to-part.from, c, 4*g.ldc, bias, panel.columns, flags, back, g.ahead(part))
	if b.p1 == g.k {
		g.activate(part.from, part.to, j, j+panel.columns)
	}
}

// store says where and how the products of a block from row i and column j on are stored.
func (g *product[T]) store(b *block[T], i, j int) (c, bias *float32, flags int) {
	last := b.p1 == g.k
	if g.accumulate || b.p0 > 0 {
		flags |= tileAdd
	}
	if b.p1-b.p0 > sumDepth {
		flags |= tileTwice
	}
	if last && g.epilogue.Activation == ReLU {
		flags |= tileReLU
	}
	if last && g.epilogue.Bias != nil {
		bias = (*float32)(unsafe.Pointer(&g.epilogue.Bias[j]))
	}
	return (*float32)(unsafe.Pointer(at(g.c, i*g.ldc+j))), bias, flags
}

// square is two blocks of products on their way from the tiles.
func (g *product[T]) square(w *workspace[T]) *float32 {
	return (*float32)(unsafe.Pointer(aligned(&w.square, 2*splitSide*splitSide)))
}

// ahead is how far apart tileProduct looks into the next panel of b, eight times a step: all of it is passed while the rows go by. One
// panel of rows reads b as fast as it comes anyway.
func (g *product[T]) ahead(rows block[T]) int {
	if panels := up(rows.to-rows.from, splitSide); panels > 1 {
		return g.stepBytes() / 8 / panels
	}
	return 0
}

// firstSteps is how many of the steps of a block's k elements of k add up first.
func firstSteps(k int) int { return up(even(k, sumDepth, splitSide), splitSide) }

// columnPanels is panels of b that lie one after the other and have one scale.
type columnPanels struct {
	columns int
	first   unsafe.Pointer
	unscale float32
}

// columnPanels gives panels from column j on: one that is split now, where they are not split already.
func (g *product[T]) columnPanels(w *workspace[T], b *block[T], j, j1 int) (p columnPanels) {
	p = g.columnPanel(w, b, j, j1)
	if g.parted == nil {
		return p
	}
	_, index := g.partedAt(b.p0, j, g.panelBytes(b))
	most := max(1, splitSteps/(len(w.unscale)*up(b.p1-b.p0, splitSide))) * splitSide
	for p.columns < most && j+p.columns < j1 && g.parted.unscale[index+p.columns/splitSide] == p.unscale {
		p.columns = min(p.columns+splitSide, j1-j)
	}
	return p
}

// columnPanel gives the panel from column j on.
func (g *product[T]) columnPanel(w *workspace[T], b *block[T], j, j1 int) (p columnPanels) {
	p.columns = min(splitSide, j1-j)
	if g.parted == nil {
		p.first = bytesOf(&w.panel, g.panelBytes(b)+g.stepBytes())
		p.unscale = g.splitColumnPanel(w, p.first, b.p0, j, p.columns, b.p1-b.p0)
		return p
	}
	from, index := g.partedAt(b.p0, j, g.panelBytes(b))
	p.first, p.unscale = unsafe.Add(g.parted.first, from), g.parted.unscale[index]
	return p
}

// splitColumnPanel splits columns of b.
func (g *product[T]) splitColumnPanel(w *workspace[T], dst unsafe.Pointer, p0, j, columns, kk int) (unscale float32) {
	if g.layout == NT {
		return g.splitPanel(w, dst, at(g.b, j*g.ldb+p0), g.ldb, false, false, columns, kk)
	}
	return g.splitPanel(w, dst, at(g.b, p0*g.ldb+j), g.ldb, true, false, columns, kk)
}

// splitDepthOf is how many elements of k a block has.
func splitDepthOf(k int) int { return even(k, splitDepth, splitSide) }

// partedWeights is all of b, split: for each block of k its panels, and what splitPanel says of each.
type partedWeights struct {
	first   unsafe.Pointer
	unscale []float32
	uses    atomic.Uint32 // by products of few rows
}

// partedAt is where the panel from column j on of the block of k from p0 on lies, in bytes, and the panel's index;
// bytes is what a panel of that block takes.
func (g *product[T]) partedAt(p0, j, bytes int) (from, index int) {
	panels := up(g.n, splitSide)
	return p0/splitSide*panels*g.stepBytes() + j/splitSide*bytes, p0/splitDepthOf(g.k)*panels + j/splitSide
}

// splitAll splits all of b into memory.
func (g *product[T]) splitAll(w *workspace[T], s *partedWeights, memory *[]T) {
	panels := up(g.n, splitSide)
	s.first = bytesOf(memory, (panels*up(g.k, splitSide)+1)*g.stepBytes())
	count := panels * up(g.k, splitDepthOf(g.k))
	s.unscale = slices.Grow(s.unscale[:0], count)[:count]
	inParts(&w.tasks.parting, partTask[T]{g, s}, partsOf(g.n*g.k, grainPacking), panels, 1)
}

// partTask splits panels of all of b.
type partTask[T Float] struct {
	product *product[T]
	weights *partedWeights
}

func (t *partTask[T]) run(_, from, to int) {
	g := t.product
	w := borrow[T]()
	defer w.giveBack()
	kc := splitDepthOf(g.k)
	for p0 := 0; p0 < g.k; p0 += kc {
		kk := min(kc, g.k-p0)
		for j := from * splitSide; j < min(to*splitSide, g.n); j += splitSide {
			at, index := g.partedAt(p0, j, up(kk, splitSide)*g.stepBytes())
			t.weights.unscale[index] = g.splitColumnPanel(w, unsafe.Add(t.weights.first, at), p0, j, min(splitSide, g.n-j), kk)
		}
	}
}
