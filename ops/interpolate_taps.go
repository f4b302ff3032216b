package ops

import (
	"math"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// axis is one dim that is interpolated. All that is found of it is computed in the arithmetic and the order of PyTorch's, where a
// last bit decides which element is taken.
type axis struct {
	in, out int
	scale   float64 // as it was given; 0 is the sizes' ratio
	aligned bool
	fused   bool // PyTorch's compiler made one operation, and one rounding, of a product and a difference
}

// tapsOf gives how each dim of the output is made of the input's, or with back how the gradient is.
func tapsOf[T kernel.Float](i interpolate, input []int, back bool) []*kernel.Taps[T] {
	list := make([]*kernel.Taps[T], i.Rank)
	same := sameShape(input[2:], i.Size[3-i.Rank:])
	for d, a := range i.axes(input) {
		var t *kernel.Taps[T]
		switch {
		// Whatever scale was given, PyTorch copies here.
		case i.Antialias && !back && a.in == a.out, i.Mode == InterpolateBicubic && !i.Antialias && back && same:
			t = kernel.Picked[T](a.in, nearest[T](a, false, true))
		case i.Antialias:
			t = filtered[T](a, i.Mode)
		case i.Mode == InterpolateBicubic:
			a.fused = !back
			t = cubic[T](a)
		case interpolations[i.Mode].mixing:
			a.fused = back || i.simple() || i.Rank == 2 && input[1] == 3 // so PyTorch, on one thread
			t = linear[T](a)
		default:
			t = kernel.Picked[T](a.in, nearest[T](a, i.Mode == InterpolateNearestExact, back || i.simple()))
		}
		if back {
			t = t.Transposed()
		}
		list[d] = t
	}
	return list
}

// stepOf is how far elements of the output are apart in the input.
func stepOf[T kernel.Float](a axis) T {
	switch {
	case a.aligned && a.out > 1:
		return T(a.in-1) / T(a.out-1)
	case a.aligned:
		return 0
	case a.scale > 0:
		return T(1 / a.scale)
	}
	return T(a.in) / T(a.out)
}

// sourceOf is where element o of the output stands in the input, whose elements stand at 0, 1, 2….
func sourceOf[T kernel.Float](a axis, step T, o int) T {
	switch middle := T(o) + 0.5; {
	case a.aligned:
		return step * T(o)
	case a.fused:
		return T(math.FMA(float64(step), float64(middle), -0.5))
	default:
		return T(float64(step)*float64(middle)) - 0.5 // rounded before the difference
	}
}

// below is the place at or before a number of float32's precision.
func below[T kernel.Float](at T) int { return int(math.Floor(float64(float32(at)))) }

// simple holds for images of so few elements that PyTorch has other kernels for them.
func (i interpolate) simple() bool { return i.Rank == 2 && i.Size[1]+i.Size[2] <= 128 }

// nearest gives the element of the input that each of the output is. PyTorch finds it in the precision of the data, or, for all
// gradients and for some inputs, simply: in float32, and by the sizes alone where these are equal or doubled. The two
// differ in rare cases.
func nearest[T kernel.Float](a axis, exact, simple bool) []int32 {
	index := make([]int32, a.out)
	step, step32 := stepOf[T](a), stepOf[float32](a)
	a.fused = true
	for o := range index {
		var i int
		switch {
		case simple && exact:
			i = below((float64(o) + 0.5) * float64(step32))
		case simple && a.out == a.in:
			i = o
		case simple && a.out == 2*a.in:
			i = o / 2
		case simple:
			i = below(float32(o) * step32)
		case exact:
			i = below(float64(max(sourceOf(a, step, o), 0)) + 0.5)
		default:
			i = below(step * T(o))
		}
		index[o] = int32(min(i, a.in-1))
	}
	return index
}

// between gives the last place at or before where an element stands, and how far behind it that is.
func between[T kernel.Float](a axis, at T) (i int, part T) {
	i = min(below(at), a.in-1)
	return i, min(max(at-T(i), 0), 1)
}

// linear mixes the two elements about each place. One that counts nothing is there too: infinity times 0 is NaN.
func linear[T kernel.Float](a axis) *kernel.Taps[T] {
	t := kernel.NewTaps[T](a.in, a.out, 2)
	step := stepOf[T](a)
	for o := range a.out {
		i, next, part := o, o, T(0)
		if a.in != a.out {
			i, part = between(a, max(sourceOf(a, step, o), 0))
			next = min(i+1, a.in-1)
		}
		t.Add(i, 1-part)
		t.Add(next, part)
		t.Next()
	}
	return t
}

// cubic mixes the four elements about each place, the outermost standing for those beyond.
func cubic[T kernel.Float](a axis) *kernel.Taps[T] {
	t := kernel.NewTaps[T](a.in, a.out, 4)
	step := stepOf[T](a)
	for o := range a.out {
		i, part := between(a, sourceOf(a, step, o))
		for k := -1; k <= 2; k++ {
			t.Add(min(max(i+k, 0), a.in-1), T(keys(float64(part)-float64(k), -0.75)))
		}
		t.Next()
	}
	return t
}

// keys is the cubic convolution of R. Keys, "Cubic convolution interpolation for digital image processing" (1981).
func keys(x, a float64) float64 {
	switch x = math.Abs(x); {
	case x <= 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return ((a*x-5*a)*x+8*a)*x - 4*a
	}
	return 0
}

// filters are what an element counts by its distance, and how far they reach, for an input that isn't made smaller.
var filters = map[Interpolation]struct {
	reach float64
	of    func(x float64) float64
}{
	InterpolateBilinear: {1, func(x float64) float64 { return max(1-math.Abs(x), 0) }},
	InterpolateBicubic:  {2, func(x float64) float64 { return keys(x, -0.5) }},
	InterpolateLanczos:  {3, lanczos},
}

func lanczos(x float64) float64 {
	switch {
	case x == 0:
		return 1
	case math.Abs(x) >= 3:
		return 0
	}
	x *= math.Pi
	return math.Sin(x) / x * math.Sin(x/3) / (x / 3)
}

// filtered mixes all elements that a filter reaches, which is as wide as the output's elements are, and no less than the input's.
func filtered[T kernel.Float](a axis, mode Interpolation) *kernel.Taps[T] {
	step, filter := stepOf[T](a), filters[mode]
	reach := T(filter.reach * max(float64(step), 1))
	most := 2*int(math.Ceil(float64(reach))) + 1
	t := kernel.NewTaps[T](a.in, a.out, most)
	narrow := T(1 / max(float64(step), 1))
	weights := make([]T, 0, most)
	for o := range a.out {
		middle := T(float64(step) * (float64(o) + 0.5))
		first := max(int(float64(middle-reach)+0.5), 0)
		end := min(int(float64(middle+reach)+0.5), a.in, first+most)
		var sum T
		weights = weights[:0]
		for i := first; i < end; i++ {
			w := T(filter.of(float64(T((float64(T(i)-middle) + 0.5) * float64(narrow)))))
			weights = append(weights, w)
			sum += w
		}
		for k, w := range weights {
			if sum != 0 {
				w /= sum
			}
			t.Add(first+k, w)
		}
		t.Next()
	}
	return t
}
