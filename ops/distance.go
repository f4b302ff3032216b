package ops

import (
	"math"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// PairwiseDistance is ‖x1 - x2 + eps‖_p over the last dim, which is left out of the result unless keepdim: p is any number, 0
// counts what differs, and ±Inf gives the largest or the least difference. The inputs broadcast against each other. The gradient
// at distance 0 is 0. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pairwise_distance.html.
func PairwiseDistance(x1, x2 *gorgonia.Node, p, eps float64, keepdim bool) (*gorgonia.Node, error) {
	return Apply(distance{P: p, Eps: eps, KeepDim: keepdim}, x1, x2)
}

type distance struct {
	P, Eps  float64
	KeepDim bool
}

func (distance) Name() string { return "pairwise_distance" }

func (d distance) Infer(in []Operand) ([]Operand, error) {
	if math.IsNaN(d.P) {
		return nil, &ValueError{What: "p", Got: "NaN", Want: "a number"}
	}
	pair, err := pairOf(in[0], in[1], -1)
	if err != nil {
		return nil, err
	}
	if pair.size == 0 && (d.P < 0 || math.IsInf(d.P, 1)) {
		return nil, &ShapeError{What: "x1", Got: pair.shape, Note: "a last dim above 0 for this p"}
	}
	return []Operand{{Shape: pair.reduced(d.KeepDim), DType: in[0].DType}}, nil
}

func (d distance) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runDistance[float32](d, in, out) },
		func() error { return runDistance[float64](d, in, out) })
}

func runDistance[T kernel.Float](d distance, in, out []*Array) error {
	pair := pairOfArrays(in, -1)
	x, y, z, eps := Slice[T](in[0]), Slice[T](in[1]), Slice[T](out[0]), T(d.Eps)
	if d.euclidean(&pair) {
		memory := arenaOf[T]()
		defer memory.giveBack()
		v := memory.take(pair.size)
		pair.each(func(run, i, j, _ int) {
			difference(v, x[i:], y[j:], eps)
			z[run] = T(math.Sqrt(kernel.SumSquares(v)))
		})
		return nil
	}
	pair.each(func(run, i, j, _ int) {
		n := norm{p: d.P}
		n.start()
		for range pair.size {
			n.add(float64(x[i] - y[j] + eps))
			i, j = i+pair.x, j+pair.y
		}
		z[run] = T(n.value())
	})
	return nil
}

// euclidean says whether vector kernels compute the distances: those of degree 2 between runs without gaps.
func (d distance) euclidean(p *pairRows) bool { return d.P == 2 && p.x == 1 && p.y == 1 }

// difference is x - y + eps for the length of v.
func difference[T kernel.Float](v, x, y []T, eps T) {
	kernel.Zip(kernel.Sub, v, x, y)
	kernel.ZipScalar(kernel.Add, v, v, eps)
}

func (d distance) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	var build builder
	dx := build.do(Apply(distanceGradient{distance: d}, in[0], in[1], out, grad))
	if build.err != nil {
		return nil, build.err
	}
	dy := build.do(Neg(dx))
	if build.err != nil {
		return nil, build.err
	}
	return gorgonia.Nodes{build.do(reduceTo(dx, in[0])), build.do(reduceTo(dy, in[1]))}, build.err
}

func (d distance) Differentiable([]Operand) []bool { return []bool{d.P != 0, d.P != 0} }

// distanceGradient is the gradient of x1 in the common shape, from x1, x2, the distances and dy.
type distanceGradient struct {
	noGradient
	distance distance
}

func (distanceGradient) Name() string { return "pairwise_distance_grad" }

func (g distanceGradient) Infer(in []Operand) ([]Operand, error) {
	pair, err := pairOf(in[0], in[1], -1)
	return []Operand{{Shape: pair.shape, DType: in[0].DType}}, err
}

func (g distanceGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runDistanceGradient[float32](g.distance, in, out) },
		func() error { return runDistanceGradient[float64](g.distance, in, out) })
}

func runDistanceGradient[T kernel.Float](d distance, in, out []*Array) error {
	pair := pairOfArrays(in, -1)
	x, y, z, dz, dx, eps := Slice[T](in[0]), Slice[T](in[1]), Slice[T](in[2]), Slice[T](in[3]), Slice[T](out[0]), T(d.Eps)
	if d.euclidean(&pair) {
		pair.each(func(run, i, j, at int) {
			v, scale := dx[at:][:pair.size], T(0)
			if z[run] != 0 {
				scale = dz[run] / z[run]
			}
			difference(v, x[i:], y[j:], eps)
			kernel.Scale(v, v, scale)
		})
		return nil
	}
	pair.each(func(run, i, j, at int) {
		n := norm{p: d.P}
		distance := float64(z[run])
		if math.IsInf(d.P, 0) {
			for k := range pair.size {
				n.count(float64(x[i+k*pair.x]-y[j+k*pair.y]+eps), distance)
			}
		}
		for range pair.size {
			dx[at] = T(float64(dz[run]) * n.slope(float64(x[i]-y[j]+eps), distance))
			i, j, at = i+pair.x, j+pair.y, at+pair.all
		}
	})
	return nil
}

// norm computes one norm of degree p: start, add all, value. Its slopes are PyTorch's: 0 at 0 and, of the norms that choose one
// element, shared evenly between those that tie.
type norm struct{ p, sum, ties float64 }

func (n *norm) start() {
	if math.IsInf(n.p, -1) {
		n.sum = math.Inf(1)
	}
}

func (n *norm) add(v float64) {
	v = math.Abs(v)
	switch {
	case n.p == 2:
		n.sum += v * v
	case n.p == 1:
		n.sum += v
	case n.p == 0:
		if v != 0 {
			n.sum++
		}
	case math.IsInf(n.p, 1):
		n.sum = max(n.sum, v)
	case math.IsInf(n.p, -1):
		n.sum = min(n.sum, v)
	default:
		n.sum += math.Pow(v, n.p)
	}
}

func (n *norm) value() float64 {
	switch {
	case n.p == 2:
		return math.Sqrt(n.sum)
	case n.p == 0 || n.p == 1 || math.IsInf(n.p, 0):
		return n.sum
	}
	return math.Pow(n.sum, 1/n.p)
}

// count counts the elements that tie for the largest or the least.
func (n *norm) count(v, norm float64) {
	if math.Abs(v) == norm || math.IsNaN(v) {
		n.ties++
	}
}

// slope is the derivative of the norm with respect to one element.
func (n *norm) slope(v, norm float64) float64 {
	switch {
	case n.p == 1:
		return sign(v)
	case math.IsInf(n.p, 0):
		if math.Abs(v) == norm || math.IsNaN(v) {
			return sign(v) / n.ties
		}
		return 0 * sign(v)
	case norm == 0 || n.p < 1 && v == 0:
		return 0
	case n.p == 2:
		return v / norm
	case n.p < 1:
		return sign(v) * math.Pow(math.Abs(v), n.p-1) * math.Pow(norm, 1-n.p)
	}
	return sign(v) * math.Pow(math.Abs(v), n.p-1) / math.Pow(norm, n.p-1)
}
