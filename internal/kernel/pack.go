package kernel

// packA copies rows from to to of a block so that the elements that a tile reads in one step lie side by side.
func (g *product[T]) packA(b block[T], from, to int) {
	size, lanes := sizeOf[T](), g.kernels.lanes
	kk := b.p1 - b.p0
	for i := from; i < to; i += b.height {
		r := min(b.height, b.to-i)
		d := at(b.packed, (i-b.from)*kk)
		if g.layout == TN {
			g.kernels.copyRows(kk, d, r*size, g.element(i, b.p0), g.lda*size, r, r)
			continue
		}
		blocks := kk / lanes
		if blocks > 0 {
			for x := 0; x < r; x += lanes {
				part := min(lanes, r-x)
				g.kernels.transpose(blocks, at(d, x), r*size, g.element(i+x, b.p0), g.lda*size, part, part)
			}
		}
		for x := range r {
			for p := blocks * lanes; p < kk; p++ {
				*at(d, p*r+x) = *g.element(i+x, b.p0+p)
			}
		}
	}
}

// packingTask packs the tiles of one block of a.
type packingTask[T Float] struct {
	product *product[T]
	block   block[T]
}

func (t *packingTask[T]) run(_, from, to int) {
	b := t.block
	t.product.packA(b, b.from+from*b.height, min(b.from+to*b.height, b.to))
}

// packPanel copies elements p0 to p0+kk of k of up to a panel's columns of b, from column j on, into one panel.
func (g *product[T]) packPanel(dst *T, j, columns, p0, kk int) {
	size, lanes, panel := sizeOf[T](), g.kernels.lanes, g.kernels.panel()
	if g.layout != NT {
		g.kernels.copyRows(kk, dst, panel*size, at(g.b, p0*g.ldb+j), g.ldb*size, columns, panel)
		return
	}
	src, blocks := at(g.b, j*g.ldb+p0), kk/lanes
	for x := 0; x < columns; x += lanes {
		if blocks > 0 {
			g.kernels.transpose(blocks, at(dst, x), panel*size, at(src, x*g.ldb), g.ldb*size, min(lanes, columns-x), lanes)
		}
	}
	for x := range columns {
		for p := blocks * lanes; p < kk; p++ {
			*at(dst, p*panel+x) = *at(src, x*g.ldb+p)
		}
	}
}

// weightsAt is where the panel from column j on of a block of k lies in the whole packed b: blocks of k one after the
// other, panels within.
func (g *product[T]) weightsAt(p0, j, kk int) int { return p0*g.weightColumns() + j*kk }

// weightColumns is n up to whole panels.
func (g *product[T]) weightColumns() int {
	panel := g.kernels.panel()
	return (g.n + panel - 1) / panel * panel
}

// weightsTask packs panels of a whole b.
type weightsTask[T Float] struct {
	product *product[T]
	dst     *T
}

func (t *weightsTask[T]) run(_, from, to int) {
	g, panel := t.product, t.product.kernels.panel()
	kc := g.blockDepth()
	for p0 := 0; p0 < g.k; p0 += kc {
		kk := min(kc, g.k-p0)
		for j := from * panel; j < min(to*panel, g.n); j += panel {
			g.packPanel(at(t.dst, g.weightsAt(p0, j, kk)), j, min(panel, g.n-j), p0, kk)
		}
	}
}

// packWeights packs all of b.
func (g *product[T]) packWeights(w *workspace[T], dst *T) {
	inParts(&w.tasks.weights, weightsTask[T]{g, dst}, partsOf(g.n*g.k, grainPacking), g.weightColumns()/g.kernels.panel(), 1)
}

// packForRows packs b once for all parts that are rows of c, unless it is large or needs no packing. Each of two threads packs a small one for
// itself: to wait for the other and to fetch what it packed takes as long, and twice as long from another die.
func (g *product[T]) packForRows(w *workspace[T]) {
	switch {
	case g.weights != nil || !g.packsB(g.m) || g.n*g.k > sharedElements:
	case Threads() == 2 && g.n*g.k <= ownElements:
		g.own = products.Add(1)
	default:
		dst := aligned(&w.b, g.weightColumns()*g.k)
		g.packWeights(w, dst)
		g.weights = dst
	}
}

// packOwn packs all of b for this thread, unless a part before has.
func (g *product[T]) packOwn(w *workspace[T]) *T {
	dst := aligned(&w.right, g.weightColumns()*g.k)
	if w.rightOf != g.own {
		t := weightsTask[T]{g, dst}
		t.run(0, 0, up(g.n, g.kernels.panel()))
		w.rightOf = g.own
	}
	return dst
}
