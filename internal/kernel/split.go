package kernel

import "unsafe"

// Products on AMX tiles: each float32 is split into up to three bfloat16 parts, and the products of parts that matter add up
// in float32. Three parts and six products err less than a float32 multiply-add does. A block that holds a number whose
// parts are no normal numbers, or whose products may overflow, goes to the tiles of multiply-adds instead.

// splitter is the kernels of AMX, by parts.
type splitter struct {
	rows    [4]func(dst unsafe.Pointer, src *float32, stride int) (bad uint32) // 16 lines of 32 numbers
	pairs   [4]func(dst unsafe.Pointer, src *float32, stride int) (bad uint32) // 32 lines of 16, two lines to a row
	product [4]func(config, a, b unsafe.Pointer, steps int, out unsafe.Pointer)
	config  unsafe.Pointer
}

const (
	splitSide  = 32   // rows and columns of a block of c, and elements of k in a step
	splitTile  = 1024 // bytes
	splitDepth = 384  // elements of k in a block
	splitBytes = 1 << 20

	// From how many rows of c splitting pays, and from how many where weights are split once. Reckoned from the prototype's
	// figures on Sapphire Rapids (290 GFLOP/s a core on tiles, 150 by multiply-adds, a cycle a number to split).
	splitRows, splitRowsOfWeights = 64, 24
)

// splits says into how many parts the numbers of a product are split: 0 where they aren't.
func (g *product[T]) splits(weights bool) int {
	least := splitRows
	if weights {
		least = splitRowsOfWeights
	}
	if g.kernels.splitter == nil || g.m < least || g.n < splitSide || g.k < splitSide {
		return 0
	}
	return MatmulPrecision().parts()
}

// stepBytes is what 32 rows or columns take for a step.
func (g *product[T]) stepBytes() int { return g.parts * 2 * splitTile }

func up(n, unit int) int { return (n + unit - 1) / unit }

// computeSplit runs the product on AMX tiles: for each block of a, split by all threads, columns of c in parts.
func (g *product[T]) computeSplit(w *workspace[T], parts int) {
	kc := splitDepthOf(g.k)
	mc := max(1, splitBytes/(up(kc, splitSide)*g.stepBytes())) * splitSide
	for p0 := 0; p0 < g.k; p0 += kc {
		for i := 0; i < g.m; i += mc {
			b := block[T]{from: i, to: min(i+mc, g.m), p0: p0, p1: min(p0+kc, g.k)}
			b.height = even(b.to-b.from, g.kernels.maxRows, 1)
			panels := up(b.to-b.from, splitSide)
			b.split = bytesOf(&w.a, panels*up(b.p1-b.p0, splitSide)*g.stepBytes())
			g.bad.Store(0)
			inParts(&w.tasks.splitting, splitTask[T]{g, b}, partsOf((b.to-b.from)*(b.p1-b.p0), grainMemory), panels, 1)
			g.block, g.blocked = b, true
			pool.run(g, parts, g.n, splitSide)
		}
	}
}

// splitTask splits panels of one block of a.
type splitTask[T Float] struct {
	product *product[T]
	block   block[T]
}

func (t *splitTask[T]) run(_, from, to int) {
	g, b := t.product, t.block
	w := borrow[T]()
	defer w.giveBack()
	kk := b.p1 - b.p0
	for panel := from; panel < to; panel++ {
		i := b.from + panel*splitSide
		dst := unsafe.Add(b.split, panel*up(kk, splitSide)*g.stepBytes())
		if g.splitPanel(w, dst, g.element(i, b.p0), g.lda, g.layout == TN, true, min(splitSide, b.to-i), kk) {
			g.bad.Store(1)
		}
	}
}

// bytesOf is aligned for bytes.
func bytesOf[T Float](buffer *[]T, n int) unsafe.Pointer {
	return unsafe.Pointer(aligned(buffer, up(n, sizeOf[T]())))
}

// splitPanel splits up to 32 rows of a or columns of b over kk elements of k: deep says that these lie a stored row
// apart, rows that tiles of a are wanted, not of b. It says whether a number could not be split.
func (g *product[T]) splitPanel(w *workspace[T], dst unsafe.Pointer, src *T, ld int, deep, rows bool, lines, kk int) (bad bool) {
	s := g.kernels.splitter
	split, size := s.rows[g.parts], sizeOf[T]()
	if deep {
		split = s.pairs[g.parts]
	}
	acrossLine, acrossK := ld, 1
	if deep {
		acrossLine, acrossK = 1, ld
	}
	for p := 0; p < kk; p += splitSide {
		for half := range 2 {
			to := unsafe.Add(dst, p/splitSide*g.stepBytes()+half*splitTile)
			have, depth := min(16, lines-16*half), min(splitSide, kk-p)
			if have <= 0 {
				for q := range g.parts {
					clear(unsafe.Slice((*byte)(unsafe.Add(to, 2*splitTile*q)), splitTile))
				}
				continue
			}
			from, stride := at(src, 16*half*acrossLine+p*acrossK), ld*size
			if have < 16 || depth < splitSide {
				from, stride = w.edge(from, acrossLine, acrossK, have, depth, deep)
			}
			part := to
			if deep == rows { // the other kind of tile: to be turned
				part = bytesOf(&w.turned, g.stepBytes())
			}
			if split(part, (*float32)(unsafe.Pointer(from)), stride) != 0 {
				bad = true
			}
			if deep == rows {
				for q := range g.parts {
					g.kernels.transpose(1, (*T)(unsafe.Add(to, 2*splitTile*q)), 64, (*T)(unsafe.Add(part, 2*splitTile*q)), 64, 16, 16)
				}
			}
		}
	}
	return bad
}

// edge copies a part of a panel at the edge of its matrix between zeros.
func (w *workspace[T]) edge(src *T, acrossLine, acrossK, lines, depth int, deep bool) (copied *T, stride int) {
	toLine, toK := splitSide, 1
	if deep {
		toLine, toK = 1, 16
	}
	copied = aligned(&w.square, 16*splitSide)
	clear(unsafe.Slice(copied, 16*splitSide))
	for x := range lines {
		for p := range depth {
			*at(copied, x*toLine+p*toK) = *at(src, x*acrossLine+p*acrossK)
		}
	}
	return copied, max(toLine, toK) * sizeOf[T]()
}

// splitColumns computes columns j0 to j1 of a block's rows.
func (g *product[T]) splitColumns(w *workspace[T], b block[T], j0, j1 int) {
	s := g.kernels.splitter
	kk := b.p1 - b.p0
	steps := up(kk, splitSide)
	square := aligned(&w.square, splitSide*splitSide)
	flags, last := 0, b.p1 == g.k
	if g.accumulate || b.p0 > 0 {
		flags |= tileAdd
	}
	if last && g.epilogue.Activation == ReLU {
		flags |= tileReLU
	}
	for j := j0; j < j1; j += splitSide {
		columns := min(splitSide, j1-j)
		var panel unsafe.Pointer
		var bad bool
		if g.parted != nil {
			at, index := g.partedAt(b.p0, j, steps)
			panel, bad = unsafe.Add(g.parted.first, at), g.parted.bad[index]
		} else {
			panel = bytesOf(&w.b, steps*g.stepBytes())
			bad = g.splitColumnPanel(w, panel, b.p0, j, columns, kk)
		}
		if bad || g.bad.Load() != 0 {
			g.tiles(w, b, j, j+columns)
			continue
		}
		var bias *T
		if last && g.epilogue.Bias != nil {
			bias = &g.epilogue.Bias[j]
		}
		for i := b.from; i < b.to; i += splitSide {
			s.product[g.parts](s.config, unsafe.Add(b.split, (i-b.from)/splitSide*steps*g.stepBytes()), panel, steps, unsafe.Pointer(square))
			g.kernels.merge(min(splitSide, b.to-i), square, at(g.c, i*g.ldc+j), g.ldc*sizeOf[T](), bias, columns, flags)
		}
		if last {
			g.activate(b.from, b.to, j, j+columns)
		}
	}
}

// splitColumnPanel splits columns of b.
func (g *product[T]) splitColumnPanel(w *workspace[T], dst unsafe.Pointer, p0, j, columns, kk int) (bad bool) {
	if g.layout == NT {
		return g.splitPanel(w, dst, at(g.b, j*g.ldb+p0), g.ldb, false, false, columns, kk)
	}
	return g.splitPanel(w, dst, at(g.b, p0*g.ldb+j), g.ldb, true, false, columns, kk)
}

// splitDepthOf is how many elements of k a block has.
func splitDepthOf(k int) int { return even(k, splitDepth, splitSide) }

// partedWeights is all of b, split: for each block of k its panels, and which of them hold a number that can't be.
type partedWeights struct {
	first unsafe.Pointer
	bad   []bool
}

// partedAt is where the panel from column j on of the block of k from p0 on lies, in bytes, and its index among the bad.
func (g *product[T]) partedAt(p0, j, steps int) (at, index int) {
	panels := up(g.n, splitSide)
	return (p0/splitSide*panels + j/splitSide*steps) * g.stepBytes(), p0/splitDepthOf(g.k)*panels + j/splitSide
}

// splitAll splits all of b.
func (g *product[T]) splitAll(w *workspace[T]) *partedWeights {
	var memory []T
	panels := up(g.n, splitSide)
	s := &partedWeights{bytesOf(&memory, panels*up(g.k, splitSide)*g.stepBytes()), make([]bool, panels*up(g.k, splitDepthOf(g.k)))}
	inParts(&w.tasks.parting, partTask[T]{g, s}, partsOf(g.n*g.k, grainMemory), panels, 1)
	return s
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
			at, index := g.partedAt(p0, j, up(kk, splitSide))
			t.weights.bad[index] = g.splitColumnPanel(w, unsafe.Add(t.weights.first, at), p0, j, min(splitSide, g.n-j), kk)
		}
	}
}
