package kernel

import "math"

func poolMax[T Float](w *Windows, y []T, indices []int64, x []T, input [3]int) {
	at := 0
	for _, a := range w[0] {
		for _, b := range w[1] {
			for _, c := range w[2] {
				first := (a.From*input[1]+b.From)*input[2] + c.From
				most, where := T(math.Inf(-1)), first
				for i := a.From; i < a.To; i += a.Step {
					for j := b.From; j < b.To; j += b.Step {
						row := (i*input[1] + j) * input[2]
						for k := row + c.From; k < row+c.To; k += c.Step {
							v := x[k]
							if v > most {
								where = k
							}
							most = max(most, v)
						}
					}
				}
				if most != most {
					where = lastNaN(window{a, b, c}, x, input)
				}
				y[at] = most
				if indices != nil {
					indices[at] = int64(where)
				}
				at++
			}
		}
	}
}

// lastNaN is where PyTorch finds the maximum of a window with a NaN.
func lastNaN[T Float](w window, x []T, input [3]int) (where int) {
	w.rows(input, func(from, to, step int) {
		for k := from; k < to; k += step {
			if x[k] != x[k] {
				where = k
			}
		}
	})
	return where
}

// halves says whether every window is a square of two by two beside the next one, the commonest of all.
func (w *Windows) halves() bool {
	if len(w[0]) != 1 || w[0][0] != (Span{0, 1, 1, w[0][0].Divisor}) {
		return false
	}
	return inPairs(w[1]) && inPairs(w[2])
}

// pairs says whether every window is one of two elements beside the next one, of a single row.
func (w *Windows) pairs() bool {
	for _, spans := range w[:2] {
		if len(spans) != 1 || spans[0].From != 0 || spans[0].To != 1 {
			return false
		}
	}
	return inPairs(w[2])
}

func inPairs(spans []Span) bool {
	for i, s := range spans {
		if s.From != 2*i || s.To != 2*i+2 || s.Step != 1 {
			return false
		}
	}
	return true
}

func maxPairs[T Float](y, x []T) {
	if f := kernelsOf[T]().maxSquares; f != nil && len(y) > 0 {
		f(1, len(y), &y[0], &x[0], 0) // squares whose rows are the same
		return
	}
	for i := range y {
		y[i] = max(x[2*i], x[2*i+1])
	}
}

// maxima computes a plane of a PoolMax of solid windows: the rows of a window are joined as vectors.
func maxima[T Float](p *Pool, windows *Windows, y, x []T) {
	w := borrow[T]()
	defer w.giveBack()
	line, at := w.floats(p.Input[2]), 0
	for _, a := range windows[0] {
		for _, b := range windows[1] {
			joinRows(p, Maximum, line, x, a, b)
			for _, c := range windows[2] {
				most := line[c.From]
				for _, v := range line[c.From+1 : c.To] {
					most = max(most, v)
				}
				y[at] = most
				at++
			}
		}
	}
}

func maxHalves[T Float](y []T, indices []int64, x []T, input, size [3]int) {
	width := input[2]
	if f := kernelsOf[T]().maxSquares; f != nil && indices == nil && len(y) > 0 {
		f(size[1], size[2], &y[0], &x[0], width)
		return
	}
	for i := range size[1] {
		top := x[2*i*width : 2*i*width+2*size[2]]
		bottom := x[(2*i+1)*width : (2*i+1)*width+2*size[2]]
		line := y[i*size[2] : (i+1)*size[2]]
		if indices == nil {
			for j := range line {
				line[j] = max(top[2*j], top[2*j+1], bottom[2*j], bottom[2*j+1])
			}
			continue
		}
		where := indices[i*size[2] : (i+1)*size[2]]
		first := int64(2 * i * width)
		for j := range line {
			a, b, c, d := top[2*j], top[2*j+1], bottom[2*j], bottom[2*j+1]
			at := int64(0)
			if b > a {
				at = 1
			}
			below := int64(width)
			if d > c {
				below++
			}
			upper, lower := max(a, b), max(c, d)
			if lower > upper {
				at = below
			}
			most := max(upper, lower)
			at += first + int64(2*j)
			if most != most {
				at = int64(lastNaN(window{{0, 1, 1, 1}, {2 * i, 2*i + 2, 1, 1}, {2 * j, 2*j + 2, 1, 1}}, x, input))
			}
			line[j], where[j] = most, at
		}
	}
}
