package kernel

// meanRun is from how many elements of a row a window adds them up as vectors, rather than the rows below each other.
const meanRun = 16

// solid says whether every window takes all elements between its ends, and there are some.
func (w *Windows) solid() bool {
	for _, spans := range w {
		for _, s := range spans {
			if s.Step != 1 || s.From >= s.To {
				return false
			}
		}
	}
	return true
}

// wide says whether the windows hold long runs of elements that lie side by side.
func (p *Pool) wide(w *Windows) bool {
	if len(w[1]) == 0 || len(w[2]) == 0 {
		return false
	}
	b, c := w[1][0], w[2][0]
	return c.To-c.From >= meanRun || c.To-c.From == p.Input[2] && (b.To-b.From)*p.Input[2] >= meanRun
}

// runs calls f with the elements of a window, those that lie side by side at a time.
func (p *Pool) runs(a, b, c Span, f func(from, to int)) {
	if c.From == 0 && c.To == p.Input[2] {
		for i := a.From; i < a.To; i++ {
			f((i*p.Input[1]+b.From)*c.To, (i*p.Input[1]+b.To)*c.To)
		}
		return
	}
	p.eachRow(a, b, func(_ int, row rowSpan) { f(row.from+c.From, row.from+c.To) })
}

// whole says whether the pool is the mean of all of a plane.
func (p *Pool) whole() bool {
	for dim, spans := range p.Windows {
		if len(spans) != 1 || spans[0].From != 0 || spans[0].To != p.Input[dim] || spans[0].Step != 1 {
			return false
		}
	}
	return p.Kind == PoolMean && p.Draw == nil
}

// means computes a plane of a PoolMean of solid windows: rows of windows at a time, whose rows are added up as vectors.
func means[T Float](p *Pool, windows *Windows, y, x []T) {
	w := borrow[T]()
	defer w.giveBack()
	line, at, wide := w.floats(p.Input[2]), 0, p.wide(windows)
	for _, a := range windows[0] {
		for _, b := range windows[1] {
			if !wide {
				joinRows(p, Add, line, x, a, b)
			}
			for _, c := range windows[2] {
				s := T(0)
				if wide {
					sum64 := 0.0
					p.runs(a, b, c, func(from, to int) { sum64 += sum(x[from:to]) })
					s = T(sum64)
				} else {
					for _, v := range line[c.From:c.To] {
						s += v
					}
				}
				y[at] = s / T(p.divisor(a, b, c))
				at++
			}
		}
	}
}

// rowSpan is where a row of a plane begins and ends.
type rowSpan struct{ from, to int }

// eachRow calls f with the rows that the windows of two spans hold, in their order.
func (p *Pool) eachRow(a, b Span, f func(i int, row rowSpan)) {
	n := 0
	for i := a.From; i < a.To; i++ {
		for j := b.From; j < b.To; j++ {
			from := (i*p.Input[1] + j) * p.Input[2]
			f(n, rowSpan{from, from + p.Input[2]})
			n++
		}
	}
}

// joinRows joins the rows that the windows of two spans hold, element by element.
func joinRows[T Float](p *Pool, by Binary, line, x []T, a, b Span) {
	p.eachRow(a, b, func(i int, row rowSpan) {
		if from := x[row.from:row.to]; i == 0 {
			copy(line, from)
		} else {
			zipSerial(by, line, line, from)
		}
	})
}

// divisor is that of a window's mean.
func (p *Pool) divisor(a, b, c Span) int {
	if p.Divisor != 0 {
		return p.Divisor
	}
	return a.Divisor * b.Divisor * c.Divisor
}

// meansGrad adds the gradient of means to dx.
func meansGrad[T Float](p *Pool, windows *Windows, dx, dy []T) {
	w := borrow[T]()
	defer w.giveBack()
	line, at, wide := w.floats(p.Input[2]), 0, p.wide(windows)
	for _, a := range windows[0] {
		for _, b := range windows[1] {
			if !wide {
				clear(line)
			}
			for _, c := range windows[2] {
				g := dy[at] / T(p.divisor(a, b, c))
				at++
				if wide {
					p.runs(a, b, c, func(from, to int) { zipScalarSerial(Add, dx[from:to], dx[from:to], g) })
					continue
				}
				for k := range line[c.From:c.To] {
					line[c.From+k] += g
				}
			}
			if !wide {
				p.eachRow(a, b, func(_ int, row rowSpan) {
					part := dx[row.from:row.to]
					zipSerial(Add, part, part, line)
				})
			}
		}
	}
}

// quarters says whether the pool is the mean of the squares of [Windows.halves].
func (p *Pool) quarters(w *Windows) bool {
	return p.Kind == PoolMean && p.Draw == nil && len(w[1]) > 0 && len(w[2]) > 0 && w.halves() && p.divisor(w[0][0], w[1][0], w[2][0]) == 4
}

func meanHalves[T Float](y, x []T, input, size [3]int) {
	width := input[2]
	if f := kernelsOf[T]().meanSquares; f != nil {
		f(size[1], size[2], &y[0], &x[0], width)
		return
	}
	for i := range size[1] {
		top, bottom := x[2*i*width:], x[(2*i+1)*width:]
		line := y[i*size[2] : (i+1)*size[2]]
		for j := range line {
			line[j] = (top[2*j] + bottom[2*j] + (top[2*j+1] + bottom[2*j+1])) / 4
		}
	}
}

// meanHalvesGrad writes the gradient to the squares of dx.
func meanHalvesGrad[T Float](dx, dy []T, input, size [3]int) {
	width := input[2]
	for i := range size[1] {
		top := dx[2*i*width : 2*i*width+2*size[2]]
		for j, g := range dy[i*size[2] : (i+1)*size[2]] {
			g /= 4
			top[2*j], top[2*j+1] = g, g
		}
		copy(dx[(2*i+1)*width:], top)
	}
}
