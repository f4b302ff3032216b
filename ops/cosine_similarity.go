package ops

import (
	"math"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// CosineSimilarity is x1·x2 / (max(‖x1‖, eps)·max(‖x2‖, eps)) along dim, which is left out of the result. The inputs broadcast
// against each other. See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cosine_similarity.html.
func CosineSimilarity(x1, x2 *gorgonia.Node, dim int, eps float64) (*gorgonia.Node, error) {
	return Apply(cosine{Dim: dim, Eps: eps}, x1, x2)
}

type cosine struct {
	Dim int
	Eps float64
}

func (cosine) Name() string { return "cosine_similarity" }

// Infer keeps both norms.
func (c cosine) Infer(in []Operand) ([]Operand, error) {
	pair, err := pairOf(in[0], in[1], c.Dim)
	if err != nil {
		return nil, err
	}
	out := Operand{Shape: pair.reduced(false), DType: in[0].DType}
	return []Operand{out, out, out}, nil
}

func (c cosine) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runCosine[float32](c, in, out) },
		func() error { return runCosine[float64](c, in, out) })
}

func runCosine[T kernel.Float](c cosine, in, out []*Array) error {
	pair := pairOfArrays(in, c.Dim)
	x, y := Slice[T](in[0]), Slice[T](in[1])
	z, nx, ny := Slice[T](out[0]), Slice[T](out[1]), Slice[T](out[2])
	pair.each(func(run, i, j, _ int) {
		product, xx, yy := 0.0, 0.0, 0.0
		for range pair.size {
			a, b := float64(x[i]), float64(y[j])
			product, xx, yy = product+a*b, xx+a*a, yy+b*b
			i, j = i+pair.x, j+pair.y
		}
		xx, yy = math.Sqrt(xx), math.Sqrt(yy)
		z[run] = T(product / (math.Max(xx, c.Eps) * math.Max(yy, c.Eps)))
		nx[run], ny[run] = T(xx), T(yy)
	})
	return nil
}

func (c cosine) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	var build builder
	norms := gorgonia.Nodes{build.do(Result(out, 1)), build.do(Result(out, 2))}
	gradients := make(gorgonia.Nodes, 2)
	for i := range gradients {
		if build.err == nil {
			gradients[i] = build.do(Apply(cosineGradient{cosine: c}, in[i], in[1-i], norms[i], norms[1-i], out, grad))
		}
		if build.err == nil {
			gradients[i] = build.do(reduceTo(gradients[i], in[i]))
		}
	}
	return gradients, build.err
}

func (cosine) Differentiable([]Operand) []bool { return []bool{true, true} }

// cosineGradient is the gradient of the first input in the common shape, from it, the other input, both norms, the cosines
// and dy. It passes the least norm as if there were none, as PyTorch's does.
type cosineGradient struct {
	noGradient
	cosine cosine
}

func (cosineGradient) Name() string { return "cosine_similarity_grad" }

func (g cosineGradient) Infer(in []Operand) ([]Operand, error) {
	pair, err := pairOf(in[0], in[1], g.cosine.Dim)
	return []Operand{{Shape: pair.shape, DType: in[0].DType}}, err
}

func (g cosineGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runCosineGradient[float32](g.cosine, in, out) },
		func() error { return runCosineGradient[float64](g.cosine, in, out) })
}

func runCosineGradient[T kernel.Float](c cosine, in, out []*Array) error {
	pair := pairOfArrays(in, c.Dim)
	x, y, dx := Slice[T](in[0]), Slice[T](in[1]), Slice[T](out[0])
	nx, ny, z, dz := Slice[T](in[2]), Slice[T](in[3]), Slice[T](in[4]), Slice[T](in[5])
	pair.each(func(run, i, j, at int) {
		norm, least := float64(nx[run]), math.Max(float64(nx[run]), c.Eps)
		g, own := float64(dz[run])/least, 0.0
		if norm != 0 {
			own = g * float64(z[run]) / norm
		}
		g /= math.Max(float64(ny[run]), c.Eps)
		for range pair.size {
			dx[at] = T(g*float64(y[j]) - own*float64(x[i]))
			i, j, at = i+pair.x, j+pair.y, at+pair.all
		}
	})
	return nil
}
