package kernel

import "math"

// GridMode says how an input is read between its elements.
type GridMode uint8

// The modes.
const (
	GridLinear GridMode = iota
	GridNearest
	GridCubic
)

// GridEdge says what stands around an input.
type GridEdge uint8

// The edges.
const (
	GridZeros GridEdge = iota
	GridBorder
	GridReflection
)

// Grid is the reading of x (batch, Channels, Input…) at places (batch, Points, Rank), the last dim's first, each from -1 to 1 over
// the input: y (batch, Channels, Points).
type Grid struct {
	Mode             GridMode
	Edge             GridEdge
	AlignCorners     bool // -1 and 1 are the middles of the outermost elements, not their outer edges
	Rank             int  // 2 or 3
	Channels, Points int
	Input            [3]int // the first is 1 where the rank is 2
}

// gridTaps are what one number of a place reads of a dim: the elements, their weights, and the derivatives of these by the number.
type gridTaps[T Float] struct {
	count         int
	index         [4]int
	weight, slope [4]T
}

// gridTerms are the elements that one place reads, with the derivatives of their weights by each number of the place.
type gridTerms[T Float] struct {
	count  int
	at     [64]int
	weight [64]T
	slope  [3][64]T
}

// GridSample reads x at the places of the grid.
func GridSample[T Float](g *Grid, y, x, grid []T, batch int) {
	all := g.Input[0] * g.Input[1] * g.Input[2]
	parallel(partsOf(batch*g.Points*g.Channels, grainSlow), batch*g.Points, 1, func(from, to int) {
		var terms gridTerms[T]
		for i := from; i < to; i++ {
			gridTermsAt(g, &terms, grid[i*g.Rank:][:g.Rank])
			n, p := i/g.Points, i%g.Points
			for c := range g.Channels {
				plane, sum := x[(n*g.Channels+c)*all:][:all], T(0)
				for k, at := range terms.at[:terms.count] {
					sum += terms.weight[k] * plane[at]
				}
				y[(n*g.Channels+c)*g.Points+p] = sum
			}
		}
	})
}

// GridSampleGrad gives x the gradients of what was read of it.
func GridSampleGrad[T Float](g *Grid, dx, dy, grid []T, batch int) {
	all := g.Input[0] * g.Input[1] * g.Input[2]
	clear(dx)
	parallel(min(batch, partsOf(batch*g.Points*g.Channels, grainSlow)), batch, 1, func(from, to int) {
		var terms gridTerms[T]
		for i := from * g.Points; i < to*g.Points; i++ {
			gridTermsAt(g, &terms, grid[i*g.Rank:][:g.Rank])
			n, p := i/g.Points, i%g.Points
			for c := range g.Channels {
				plane, d := dx[(n*g.Channels+c)*all:][:all], dy[(n*g.Channels+c)*g.Points+p]
				for k, at := range terms.at[:terms.count] {
					plane[at] += terms.weight[k] * d
				}
			}
		}
	})
}

// GridPlacesGrad gives the places their gradients.
func GridPlacesGrad[T Float](g *Grid, dgrid, dy, x, grid []T, batch int) {
	all := g.Input[0] * g.Input[1] * g.Input[2]
	parallel(partsOf(batch*g.Points*g.Channels, grainSlow), batch*g.Points, 1, func(from, to int) {
		var terms gridTerms[T]
		for i := from; i < to; i++ {
			gridTermsAt(g, &terms, grid[i*g.Rank:][:g.Rank])
			n, p := i/g.Points, i%g.Points
			for r := range g.Rank {
				sum, slope := 0.0, &terms.slope[2-r]
				for c := range g.Channels {
					plane, along := x[(n*g.Channels+c)*all:][:all], T(0)
					for k, at := range terms.at[:terms.count] {
						along += slope[k] * plane[at]
					}
					sum += float64(along) * float64(dy[(n*g.Channels+c)*g.Points+p])
				}
				dgrid[i*g.Rank+r] = T(sum)
			}
		}
	})
}

// gridTermsAt multiplies out what the numbers of a place read of the dims.
func gridTermsAt[T Float](g *Grid, terms *gridTerms[T], place []T) {
	var taps [3]gridTaps[T]
	taps[0] = gridTaps[T]{count: 1, weight: [4]T{1}}
	for r, v := range place {
		d := 2 - r
		if g.Mode == GridCubic {
			taps[d] = cubicGridTaps(g, v, g.Input[d])
		} else {
			taps[d] = linearGridTaps(g, v, g.Input[d])
		}
	}
	terms.count = 0
	for i := range taps[0].count {
		for j := range taps[1].count {
			for l := range taps[2].count {
				k, a, b, c := terms.count, &taps[0], &taps[1], &taps[2]
				terms.at[k] = (a.index[i]*g.Input[1]+b.index[j])*g.Input[2] + c.index[l]
				terms.weight[k] = a.weight[i] * b.weight[j] * c.weight[l]
				terms.slope[0][k] = a.slope[i] * b.weight[j] * c.weight[l]
				terms.slope[1][k] = a.weight[i] * b.slope[j] * c.weight[l]
				terms.slope[2][k] = a.weight[i] * b.weight[j] * c.slope[l]
				terms.count++
			}
		}
	}
}

// add leaves out what is outside of n elements.
func (t *gridTaps[T]) add(at T, n int, weight, slope T) {
	if at >= 0 && at < T(n) {
		t.index[t.count], t.weight[t.count], t.slope[t.count] = int(at), weight, slope
		t.count++
	}
}

func linearGridTaps[T Float](g *Grid, v T, n int) (t gridTaps[T]) {
	at, slope := gridPlace(g, v, n)
	at, through := gridInside(g, at, n)
	slope *= through
	if g.Mode == GridNearest {
		t.add(T(math.RoundToEven(float64(at))), n, 1, 0)
		return t
	}
	first := T(math.Floor(float64(at)))
	t.add(first, n, first+1-at, -slope)
	t.add(first+1, n, at-first, slope)
	return t
}

// cubicGridTaps reads four elements, whatever stands at the places of those that are outside.
func cubicGridTaps[T Float](g *Grid, v T, n int) (t gridTaps[T]) {
	at, slope := gridPlace(g, v, n)
	first := T(math.Floor(float64(at)))
	weights, slopes := cubicWeights(at - first)
	for k := range weights {
		tap, _ := gridInside(g, first+T(k-1), n)
		t.add(tap, n, weights[k], slopes[k]*slope)
	}
	return t
}

// cubicWeights are those of four elements, of which t is how far the second is passed, with their derivatives by t: Keys's kernel
// with a = -3/4.
func cubicWeights[T Float](t T) (weight, slope [4]T) {
	const a = -0.75
	for k := range weight {
		x := t + T(1-k) // the distance, with its sign
		sign := T(1)
		if x < 0 {
			x, sign = -x, -1
		}
		if k == 1 || k == 2 {
			weight[k] = ((a+2)*x-(a+3))*x*x + 1
			slope[k] = sign * (3*(a+2)*x - 2*(a+3)) * x
		} else {
			weight[k] = ((a*x-5*a)*x+8*a)*x - 4*a
			slope[k] = sign * ((3*a*x-10*a)*x + 8*a)
		}
	}
	return weight, slope
}

// gridPlace is where a number from -1 to 1 stands among n elements, and the derivative of that.
func gridPlace[T Float](g *Grid, v T, n int) (at, slope T) {
	if g.AlignCorners {
		return (v + 1) / 2 * T(n-1), T(n-1) / 2
	}
	return ((v+1)*T(n) - 1) / 2, T(n) / 2
}

// gridInside takes a place to one inside, as the edge says, with the derivative of that. What is no number is the first element, or
// outside.
func gridInside[T Float](g *Grid, at T, n int) (inside, slope T) {
	slope = 1
	if g.Edge == GridReflection {
		at, slope = gridReflected(at, n, g.AlignCorners)
	}
	switch last := T(n - 1); {
	case g.Edge == GridZeros && at-at != 0:
		return -2, 0
	case g.Edge == GridZeros:
		return at, 1
	case !(at > 0):
		return 0, 0
	case at >= last:
		return last, 0
	}
	return at, slope
}

// gridReflected mirrors a place at the middles of the outermost elements, or at their outer edges, as often as it takes.
func gridReflected[T Float](at T, n int, aligned bool) (inside, slope T) {
	low, span := -0.5, float64(n)
	if aligned {
		low, span = 0, float64(n-1)
	}
	if span == 0 {
		return 0, 0
	}
	x := float64(at) - low
	slope = 1
	if x < 0 {
		x, slope = -x, -1
	}
	flips := math.Floor(x / span)
	rest := math.Mod(x, span)
	if math.Mod(flips, 2) == 0 {
		return T(rest + low), slope
	}
	return T(span - rest + low), -slope
}
