package kernel

// Unfold lays the windows of each of a number of planes out as columns: dst (planes, taps, Output) has the element that each tap
// of each window reads of src (planes, Input).
func Unfold[T Float](dst, src []T, planes int, w Window) {
	taps, grid := w.Taps(), volume(w.Output)
	need("dst of Unfold", len(dst), planes*taps*grid)
	need("src of Unfold", len(src), planes*volume(w.Input))
	n := planes * taps
	folding[T]{Window: w, columns: dst, plane: src}.compute(min(n, partsOf(n*grid, grainMemory)), n)
}

// Fold undoes Unfold, and adds up where windows overlap: dst (planes, Input), src (planes, taps, Output).
func Fold[T Float](dst, src []T, planes int, w Window) {
	plane, columns := volume(w.Input), w.Taps()*volume(w.Output)
	need("dst of Fold", len(dst), planes*plane)
	need("src of Fold", len(src), planes*columns)
	parts := min(planes, partsOf(planes*max(plane, columns), grainMemory))
	folding[T]{Window: w, columns: src, plane: dst, back: true}.compute(parts, planes)
}

// folding is an [Unfold], or a [Fold] where back says so.
type folding[T Float] struct {
	Window
	columns, plane []T
	taps           []lattice
	back           bool
}

func (given folding[T]) compute(parts, n int) {
	w := borrow[T]()
	defer w.giveBack()
	s := &w.tasks.folding
	given.taps = given.tapLattices(s.taps[:0])
	*s = given
	pool.run(s, parts, n, 1)
	*s = folding[T]{taps: s.taps}
}

func (s *folding[T]) run(_, from, to int) {
	if s.back {
		s.fold(from, to)
	} else {
		s.unfold(from, to)
	}
}

// tapLattices appends where in a plane each tap reads.
func (w *Window) tapLattices(list []lattice) []lattice {
	points(w.Kernel, func(k [3]int) {
		l := lattice{step: w.Stride}
		for d := range k {
			l.start[d] = k[d]*w.Dilation[d] - w.Padding[d]
		}
		list = append(list, l)
	})
	return list
}

// unfold fills columns of one tap and one plane, from to to.
func (s *folding[T]) unfold(from, to int) {
	grid, plane := volume(s.Output), volume(s.Input)
	for i := from; i < to; i++ {
		column, tap := s.columns[i*grid:(i+1)*grid], s.taps[i%len(s.taps)]
		for d := range s.Output {
			if low, high := tap.inside(d, s.Output[d], s.Input[d]); high-low < s.Output[d] {
				clear(column)
				break
			}
		}
		gather(column, s.Output, s.plane[i/len(s.taps)*plane:][:plane], s.Input, tap)
	}
}

func (s *folding[T]) fold(from, to int) {
	grid, plane := volume(s.Output), volume(s.Input)
	for i := from; i < to; i++ {
		x := s.plane[i*plane : (i+1)*plane]
		clear(x)
		for k, tap := range s.taps {
			scatterAdd(x, s.Input, tap, s.columns[(i*len(s.taps)+k)*grid:][:grid], s.Output)
		}
	}
}

// scatterAdd adds those elements of a grid to a plane that a lattice has inside it.
func scatterAdd[T Float](dst []T, plane [3]int, w lattice, src []T, grid [3]int) {
	var from, to [3]int
	for d := range grid {
		if from[d], to[d] = w.inside(d, grid[d], plane[d]); from[d] == to[d] {
			return
		}
	}
	n, step := to[2]-from[2], w.step[2]
	for i := from[0]; i < to[0]; i++ {
		for j := from[1]; j < to[1]; j++ {
			x := src[offsetOf([3]int{i, j, from[2]}, grid):][:n]
			at := offsetOf([3]int{i*w.step[0] + w.start[0], j*w.step[1] + w.start[1], from[2]*step + w.start[2]}, plane)
			if step == 1 {
				y := dst[at:][:n]
				zipSerial(Add, y, y, x)
				continue
			}
			y := dst[at:]
			for k, v := range x {
				y[k*step] += v
			}
		}
	}
}
