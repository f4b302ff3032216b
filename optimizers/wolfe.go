package optimizers

import (
	"math"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// The constants of Wolfe's conditions: a step t is long enough when the loss falls by c1·t·slope at least and the slope
// is c2 of the first at most.
const c1, c2 = 1e-4, 0.9

// wolfe looks for a step length that meets Wolfe's strong conditions, as PyTorch's _strong_wolfe does: it brackets one,
// then narrows the bracket.
type wolfe[T kernel.Float] struct {
	evaluate func(t T) (f float64, g []T, err error)
	d        []T     // direction
	f        float64 // where the search begins
	g        []T
	slope    float64 // along d
	change   float64 // the tolerance of a bracket's width
	most     int     // evaluations

	evals, iterations int
}

// point is a step length that was tried.
type point[T kernel.Float] struct {
	t     T
	f     float64
	g     []T
	slope float64
}

func (w *wolfe[T]) try(t T) (point[T], error) {
	f, g, err := w.evaluate(t)
	w.evals++
	if err != nil {
		return point[T]{}, err
	}
	return point[T]{t, f, g, dot(g, w.d)}, nil
}

func (w *wolfe[T]) tooHigh(p point[T]) bool { return p.f > w.f+c1*float64(p.t)*w.slope }
func (w *wolfe[T]) flat(p point[T]) bool    { return math.Abs(p.slope) <= -c2*w.slope }

// search gives the step length found, the loss and the gradient there, and how often it evaluated them.
func (w *wolfe[T]) search(t T) (f float64, g []T, length T, evals int, err error) {
	begin := point[T]{0, w.f, w.g, w.slope}
	bracket, done, err := w.bracket(begin, t)
	if err != nil {
		return w.f, w.g, 0, w.evals, err
	}
	best, err := w.narrow(bracket, done)
	return best.f, best.g, best.t, w.evals, err
}

// bracket gives two points between which the conditions are met somewhere, or one, done, that meets them.
func (w *wolfe[T]) bracket(begin point[T], t T) (bracket [2]point[T], done bool, err error) {
	last := begin
	now, err := w.try(t)
	for ; err == nil && w.iterations < w.most; w.iterations++ {
		switch {
		case w.tooHigh(now) || w.iterations > 1 && now.f >= last.f:
			return [2]point[T]{last, now}, false, nil
		case w.flat(now):
			return [2]point[T]{now, now}, true, nil
		case now.slope >= 0:
			return [2]point[T]{last, now}, false, nil
		}
		low, high := now.t+T(0.01*float64(now.t-last.t)), now.t*10
		next := cubic(last, now, low, high)
		last = now
		now, err = w.try(next)
	}
	return [2]point[T]{begin, now}, false, err
}

// narrow gives the lower end of a bracket, narrowed until it meets the conditions.
func (w *wolfe[T]) narrow(b [2]point[T], done bool) (point[T], error) {
	low, high := 0, 1
	order := func() {
		if low, high = 0, 1; b[0].f > b[1].f {
			low, high = 1, 0
		}
	}
	order()
	widest, stuck := largest(w.d), false
	for ; !done && w.iterations < w.most; w.iterations++ {
		if math.Abs(float64(b[1].t-b[0].t))*widest < w.change {
			break
		}
		t := cubic(b[0], b[1], min(b[0].t, b[1].t), max(b[0].t, b[1].t))
		t, stuck = awayFromEnds(t, min(b[0].t, b[1].t), max(b[0].t, b[1].t), stuck)
		now, err := w.try(t)
		if err != nil {
			return b[low], err
		}
		if w.tooHigh(now) || now.f >= b[low].f {
			b[high] = now
			order()
			continue
		}
		if w.flat(now) {
			done = true
		} else if now.slope*float64(b[high].t-b[low].t) >= 0 {
			b[high] = b[low]
		}
		b[low] = now
	}
	return b[low], nil
}

// awayFromEnds moves a length that lies near an end of its bracket a tenth inwards, at once where it lies on the end, else
// the second time.
func awayFromEnds[T kernel.Float](t, from, to T, stuck bool) (T, bool) {
	tenth := T(0.1 * float64(to-from))
	switch {
	case min(to-t, t-from) >= tenth:
		return t, false
	case !stuck && t < to && t > from:
		return t, true
	case math.Abs(float64(t-to)) < math.Abs(float64(t-from)):
		return to - tenth, false
	}
	return from + tenth, false
}

// cubic gives the minimum of the cubic through two points and their slopes, between bounds.
func cubic[T kernel.Float](p, q point[T], low, high T) T {
	x1, x2 := float64(p.t), float64(q.t)
	d1 := p.slope + q.slope - 3*(p.f-q.f)/(x1-x2)
	square := d1*d1 - p.slope*q.slope
	if !(square >= 0) {
		return (low + high) / 2
	}
	d2 := math.Sqrt(square)
	var t float64
	if x1 <= x2 {
		t = x2 - (x2-x1)*((q.slope+d2-d1)/(q.slope-p.slope+2*d2))
	} else {
		t = x1 - (x1-x2)*((p.slope+d2-d1)/(p.slope-q.slope+2*d2))
	}
	if !(t > float64(low)) {
		return low
	}
	return T(math.Min(t, float64(high)))
}
