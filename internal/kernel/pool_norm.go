package kernel

// norms computes a plane of a PoolNorm of solid windows: the powers of rows of windows are added up as vectors.
func norms[T Float](p *Pool, windows *Windows, y, x []T) {
	w := borrow[T]()
	defer w.giveBack()
	width := p.Input[2]
	room := w.floats(2 * width)
	line, powers := room[:width], room[width:]
	at := 0
	for _, a := range windows[0] {
		for _, b := range windows[1] {
			p.eachRow(a, b, func(i int, row rowSpan) {
				into := powers
				if i == 0 {
					into = line
				}
				if from := x[row.from:row.to]; p.Norm == 2 {
					zipSerial(Mul, into, from, from)
				} else {
					for j, v := range from {
						into[j] = power(v, p.Norm)
					}
				}
				if i > 0 {
					zipSerial(Add, line, line, powers)
				}
			})
			for _, c := range windows[2] {
				s := T(0)
				for _, v := range line[c.From:c.To] {
					s += v
				}
				y[at] = power(s/T(a.count()*b.count()*c.count())*T(p.Taps), 1/p.Norm)
				at++
			}
		}
	}
}
