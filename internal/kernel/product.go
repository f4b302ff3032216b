package kernel

import "unsafe"

// product is one matrix product on compiled tiles. For each block of k that keeps a panel of b in the first-level cache,
// and each block of rows that keeps a in the second: a packed if that pays, b packed a panel at a time just before its use,
// then tiles of c.
type product[T Float] struct {
	kernels    *kernels[T]
	layout     Layout
	m, k       int
	a, b, c    *T
	lda        int
	ldb        int
	ldc        int
	accumulate bool
	epilogue   Epilogue[T]
}

// Flags of a tile kernel.
const (
	tileAdd  = 1 // c += instead of c =
	tileFull = 2 // b is readable beyond the columns asked for
	tileReLU = 4
)

const (
	blockK = 320 // rows of a panel of b: 40 KiB of AVX-512 vectors
	// directRows is up to how many rows of c b is read in place; packing it costs a pass that few rows do not repay.
	directRows = 70
	// packColumns is from how many columns of c a is packed.
	packColumns = 128
)

// blockBytes is how much of a stays in the second-level cache: of 2 MiB beside AVX-512, of 256 KiB or more beside AVX2.
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
// ends each product with a fold: measured equal at k/32 rows, and at 10 where k is large.
func (g *product[T]) dotRowLimit() int { return max(1, min(10, g.k/32)) }

// inParallel cuts c along its longer side, whole tiles a part.
func (g product[T]) inParallel(parts, m, n int) {
	if n >= m {
		parallel(parts, n, 2*g.kernels.lanes, func(from, to int) { g.run(0, m, from, to) })
		return
	}
	parallel(parts, m, g.kernels.maxRows, func(from, to int) { g.run(from, to, 0, n) })
}

// run computes rows i0 to i1 and columns j0 to j1 of c.
func (g *product[T]) run(i0, i1, j0, j1 int) {
	m, n := i1-i0, j1-j0
	a, b, c := at(g.a, i0*g.lda), at(g.b, j0), at(g.c, i0*g.ldc+j0)
	if g.layout == TN {
		a = at(g.a, i0)
	}
	if g.layout == NT {
		b = at(g.b, j0*g.ldb)
	}
	var bias *T
	if g.epilogue.Bias != nil {
		bias = &g.epilogue.Bias[j0]
	}
	w := borrow[T]()
	if g.layout == NT && g.m <= g.dotRowLimit() {
		g.dots(w, m, n, a, b, c, bias)
	} else {
		g.tiles(w, m, n, a, b, c, bias)
	}
	w.giveBack()
}

// activate applies an activation that the tiles do not know to rows of c.
func (g *product[T]) activate(m, n int, c *T) {
	e := &g.epilogue
	if e.Activation == Identity || e.Activation == ReLU {
		return
	}
	for i := range m {
		row := unsafe.Slice(at(c, i*g.ldc), n)
		Map(e.Activation, row, row, e.A, e.B)
	}
}

func (g *product[T]) tiles(w *workspace[T], m, n int, a, b, c, bias *T) {
	k, size := g.k, sizeOf[T]()
	lanes := g.kernels.lanes
	panel := 2 * lanes
	blockRows := even(m, g.kernels.maxRows, 1)
	if g.kernels.maxRows == 6 && m > 6 && blockRows < 5 {
		blockRows = 6
	}
	kc := even(k, blockK, 16)
	mc := max(1, g.blockBytes()/size/kc/blockRows) * blockRows
	packB := g.layout == NT || m > directRows
	packA := n >= packColumns && m > 6 && (packB || g.layout == TN || g.lda*size%2048 == 0)
	wide := 1 // panels a step: more where a tile has few rows
	for wide < 4 && blockRows <= g.wideRows(2*wide) {
		wide *= 2
	}
	rowA, stepA := g.lda*size, size
	if g.layout == TN {
		rowA, stepA = stepA, rowA
	}
	masked := g.kernels.maxRows > 6 // tiles that can read part of a vector of b
	buffer := aligned(&w.b, wide*panel*kc)
	for p0 := 0; p0 < k; p0 += kc {
		kk := min(kc, k-p0)
		flags, tileBias := 0, (*T)(nil)
		if g.accumulate || p0 > 0 {
			flags |= tileAdd
		}
		if p0+kk == k {
			tileBias = bias
			if g.epilogue.Activation == ReLU {
				flags |= tileReLU
			}
		}
		for i0 := 0; i0 < m; i0 += mc {
			mm := min(mc, m-i0)
			ai := (*T)(unsafe.Add(unsafe.Pointer(a), i0*rowA+p0*stepA))
			rows, step := rowA, stepA
			if packA {
				packed := aligned(&w.a, mm*kk+lanes)
				g.packA(packed, ai, mm, kk, blockRows)
				ai = packed
			}
			for j := 0; j < n; {
				panels := wide
				for panels > 1 && n-j <= (panels-1)*panel {
					panels /= 2
				}
				width := min(panels*panel, n-j)
				columns := width - (panels-1)*panel // of the last panel
				vectors := 1 + log2(panels)         // log2 of vectors a row
				if panels == 1 && width <= lanes {
					vectors = 0
				}
				bj, ldb, next := at(b, p0*g.ldb+j), g.ldb*size, panel*size
				inPlace := !packB && (masked || columns == panel || columns == lanes && vectors == 0)
				tileFlags := flags | tileFull
				if inPlace {
					if columns != panel && !(vectors == 0 && columns == lanes) {
						tileFlags = flags
					}
				} else {
					for x := 0; x < width; x += panel {
						to := at(buffer, x*kk)
						if g.layout == NT {
							g.packTransposed(to, at(b, (j+x)*g.ldb+p0), kk, min(panel, width-x))
						} else {
							g.kernels.copyRows(kk, to, panel*size, at(bj, x), g.ldb*size, min(panel, width-x), panel)
						}
					}
					bj, ldb, next = buffer, panel*size, kk*panel*size
				}
				table := &g.kernels.tile[vectors]
				if packA && !inPlace && vectors == 1 {
					table = &g.kernels.tilePacked
				}
				var tb *T
				if tileBias != nil {
					tb = at(tileBias, j)
				}
				for i := 0; i < mm; i += blockRows {
					r := min(blockRows, mm-i)
					tileA := (*T)(unsafe.Add(unsafe.Pointer(ai), i*rows))
					if packA {
						tileA, rows, step = at(ai, i*kk), size, r*size
					}
					table[r](kk, tileA, rows, step, bj, ldb, next, at(c, (i0+i)*g.ldc+j), g.ldc*size, tb, columns, tileFlags)
				}
				j += width
			}
			if p0+kk == k {
				g.activate(mm, n, at(c, i0*g.ldc))
			}
		}
	}
}

// wideRows is the most rows of a tile of that many panels.
func (g *product[T]) wideRows(panels int) int {
	table := &g.kernels.tile[1+log2(panels)]
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

// packA copies mm×kk of a so that the elements a tile reads in one step lie side by side.
func (g *product[T]) packA(dst, src *T, mm, kk, blockRows int) {
	size, lanes := sizeOf[T](), g.kernels.lanes
	for i := 0; i < mm; i += blockRows {
		r := min(blockRows, mm-i)
		d := at(dst, i*kk)
		if g.layout == TN {
			g.kernels.copyRows(kk, d, r*size, at(src, i), g.lda*size, r, r)
			continue
		}
		blocks := kk / lanes
		if blocks > 0 {
			for x := 0; x < r; x += lanes {
				part := min(lanes, r-x)
				g.kernels.transpose(blocks, at(d, x), r*size, at(src, (i+x)*g.lda), g.lda*size, part, part)
			}
		}
		for x := range r {
			for p := blocks * lanes; p < kk; p++ {
				*at(d, p*r+x) = *at(src, (i+x)*g.lda+p)
			}
		}
	}
}

// packTransposed copies n rows of a transposed b, kk elements each, into one panel.
func (g *product[T]) packTransposed(dst, src *T, kk, n int) {
	size, lanes := sizeOf[T](), g.kernels.lanes
	blocks := kk / lanes
	for x := 0; x < n; x += lanes {
		if blocks > 0 {
			g.kernels.transpose(blocks, at(dst, x), 2*lanes*size, at(src, x*g.ldb), g.ldb*size, min(lanes, n-x), lanes)
		}
	}
	for x := range n {
		for p := blocks * lanes; p < kk; p++ {
			*at(dst, p*2*lanes+x) = *at(src, x*g.ldb+p)
		}
	}
}

// dots computes few rows of c as dot products of rows.
func (g *product[T]) dots(w *workspace[T], m, n int, a, b, c, bias *T) {
	const columns = 4
	size, most := sizeOf[T](), g.kernels.maxDots
	out := unsafe.Slice(aligned(&w.out, maxDotRows*columns), maxDotRows*columns)
	for j := 0; j < n; j += columns {
		from, stride, count := j, g.ldb*size, columns
		switch {
		case n < columns: // one at a time: the same row four times over
			from, stride, count = j, 0, 1
		case j+columns > n: // the last four, some of them known already
			from = n - columns
		}
		for i := 0; i < m; i += most {
			rows := min(most, m-i)
			g.kernels.dots[rows](g.k, at(a, i*g.lda), g.lda*size, at(b, from*g.ldb), stride, &out[0])
			for r := range rows {
				for x := j; x < from+count; x++ {
					v, to := out[r*columns+x-from], at(c, (i+r)*g.ldc+x)
					if g.accumulate {
						v += *to
					}
					if bias != nil {
						v += *at(bias, x)
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
	g.activate(m, n, c)
}
