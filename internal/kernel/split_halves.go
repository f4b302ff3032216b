package kernel

import "unsafe"

// splitHalvesTask computes a product on AMX tiles in halves, in parts that are columns of one half: two threads split each number once, where
// else both split all of a.
type splitHalvesTask[T Float] struct {
	half    [2]product[T]
	columns int    // of c, up to whole panels: those of the second half follow
	sums    [2][]T // of a's columns, or nil
}

// computeSplitHalves is computeHalves on tiles.
func (g *product[T]) computeSplitHalves(w *workspace[T], sums []T) {
	t, threads := &w.tasks.splitHalves, splitThreads(g.m, g.n, g.k)
	other := g.halve(w, &t.half, threads == 1 && g.k <= 2*splitDepth)
	if sums != nil {
		w.columns(g.m)
		t.sums = [2][]T{sums, w.sum}
	}
	t.columns = up(g.n, splitSide) * splitSide
	if threads == 1 {
		t.run(0, 0, t.columns)
		t.run(1, t.columns, 2*t.columns)
	} else {
		pool.run(t, up(threads, 2)*2, 2*t.columns, splitSide)
	}
	g.joinHalves(w, other, sums)
	*t = splitHalvesTask[T]{}
}

func (t *splitHalvesTask[T]) run(_, from, to int) {
	h := from / t.columns
	g := &t.half[h]
	from, to = from-h*t.columns, to-h*t.columns
	w := borrow[T]()
	defer w.giveBack()
	if t.sums[h] != nil && from == 0 {
		columnSums(t.sums[h], unsafe.Slice(g.a, (g.k-1)*g.lda+g.m), g.k, g.lda)
	}
	g.splitBlocks(w, 0, g.m, from, min(to, g.n))
}
