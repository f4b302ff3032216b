package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// Linear is y = x·weightᵀ + bias: x (*, in), weight (out, in), bias (out) or nil, y (*, out), where * is any number of
// dimensions, none included. A weight (in) has one output feature, which is left out of y (*); its bias is (). See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear.html.
func Linear(x, weight, bias *gorgonia.Node) (*gorgonia.Node, error) {
	if weight != nil && len(weight.Shape()) == 1 {
		return linearOfOne(x, weight, bias)
	}
	if bias == nil {
		return Apply(LinearOp{}, x, weight)
	}
	return Apply(LinearOp{}, x, weight, bias)
}

// linearOfOne is the product with one row of weights.
func linearOfOne(x, weight, bias *gorgonia.Node) (*gorgonia.Node, error) {
	weight, err := Reshape(weight, 1, weight.Shape()[0])
	if err != nil {
		return nil, err
	}
	if bias != nil {
		if bias, err = Reshape(bias, 1); err != nil {
			return nil, err
		}
	}
	y, err := Linear(x, weight, bias)
	if err != nil {
		return nil, err
	}
	return Reshape(y, y.Shape()[:len(y.Shape())-1]...)
}

// LinearOp is the definition of [Linear], with an activation fused into its store: y = f(x·weightᵀ + bias). The fused
// activation must have a gradient that its output alone gives.
type LinearOp struct {
	Activation Activation
}

// Name is "linear".
func (l LinearOp) Name() string { return "linear" }

func (l LinearOp) String() string { return l.Name() + l.Activation.suffix() }

// Fused is the product with an activation in its store.
func (l LinearOp) Fused(a Activation) (Definition, bool) {
	if l.Activation.Kind != kernel.Identity {
		return nil, false
	}
	l.Activation = a
	return l, true
}

// MultiplyAdds is the rows of x times the weight's elements.
func (l LinearOp) MultiplyAdds(in, out []Operand) int { return out[0].Size() * in[1].Shape[1] }

// Infer checks x, weight and bias against each other.
func (l LinearOp) Infer(in []Operand) ([]Operand, error) {
	x, w := in[0], in[1]
	if len(w.Shape) != 2 {
		return nil, &ShapeError{What: "weight", Got: w.Shape, Want: []int{-1, -1}}
	}
	if !isFloat(w.DType) {
		return nil, &DTypeError{What: "weight", Got: w.DType.String(), Want: "float32 or float64"}
	}
	outFeatures, inFeatures := w.Shape[0], w.Shape[1]
	if len(x.Shape) == 0 || x.Shape[len(x.Shape)-1] != inFeatures {
		return nil, &ShapeError{What: "input", Got: x.Shape, Want: []int{-1, inFeatures}}
	}
	if x.DType != w.DType {
		return nil, &DTypeError{What: "input", Got: x.DType.String(), Want: w.DType.String()}
	}
	if len(in) == 3 && (!sameShape(in[2].Shape, []int{outFeatures}) || in[2].DType != w.DType) {
		return nil, &ShapeError{What: "bias", Got: in[2].Shape, Want: []int{outFeatures}, Note: "of " + w.DType.String()}
	}
	y := x.Shape.Clone()
	y[len(y)-1] = outFeatures
	return []Operand{{Shape: y, DType: x.DType}}, nil
}

// Run is one matrix product with bias and activation in its store.
func (l LinearOp) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runLinear[float32](l, in, out) },
		func() error { return runLinear[float64](l, in, out) })
}

func runLinear[T kernel.Float](l LinearOp, in, out []*Array) error {
	m, n, k := linearSizes(in[0], in[1])
	var bias []T
	if len(in) == 3 {
		bias = Slice[T](in[2])
	}
	kernel.Linear(m, n, k, Slice[T](in[0]), Slice[T](in[1]), in[1].Weights, Slice[T](out[0]), kernel.Epilogue[T]{
		Bias: bias, Activation: l.Activation.Kind, A: T(l.Activation.A), B: T(l.Activation.B),
	})
	return nil
}

// linearSizes gives rows, output features and input features.
func linearSizes(x, weight *Array) (m, n, k int) {
	n, k = weight.Shape[0], weight.Shape[1]
	return size(x.Shape[:len(x.Shape)-1]), n, k
}

// Gradient computes the weight's and the bias's gradient in one pass, which also keeps the gradient before the
// activation for the input's gradient.
func (l LinearOp) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	x, weight := in[0], in[1]
	dweight, err := Apply(linearWeightGradient{Activation: l.Activation, Bias: len(in) == 3}, x, weight, out, grad)
	if err != nil {
		return nil, err
	}
	before := grad
	if l.Activation.Kind != kernel.Identity {
		if before, err = Result(dweight, 1); err != nil {
			return nil, err
		}
	}
	dx, err := Apply(linearInputGradient{}, before, weight, x)
	if err != nil || len(in) == 2 {
		return gorgonia.Nodes{dx, dweight}, err
	}
	dbias, err := Result(dweight, len(Of(dweight).Out)-1)
	return gorgonia.Nodes{dx, dweight, dbias}, err
}

// Differentiable is true of all inputs.
func (l LinearOp) Differentiable(in []Operand) []bool { return []bool{true, true, true}[:len(in)] }

// linearWeightGradient is dweight = gᵀ·x with g = dy·f'(y); it keeps g where there is an activation, and the bias's
// gradient, the column sums of g, where there is a bias.
type linearWeightGradient struct {
	noGradient
	Activation Activation
	Bias       bool
}

func (l linearWeightGradient) Name() string { return "linear_weight_grad" }

func (l linearWeightGradient) Infer(in []Operand) ([]Operand, error) {
	out := []Operand{in[1]}
	if l.Activation.Kind != kernel.Identity {
		out = append(out, in[2])
	}
	if l.Bias {
		out = append(out, Operand{Shape: tensor.Shape{in[1].Shape[0]}, DType: in[1].DType})
	}
	return out, nil
}

func (l linearWeightGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runLinearWeightGradient[float32](l, in, out) },
		func() error { return runLinearWeightGradient[float64](l, in, out) })
}

func runLinearWeightGradient[T kernel.Float](l linearWeightGradient, in, out []*Array) error {
	m, n, k := linearSizes(in[0], in[1])
	g := beforeActivation[T](l, in, out)
	var dbias []T
	if l.Bias {
		dbias = Slice[T](out[len(out)-1])
	}
	kernel.WeightGradient(m, n, k, Slice[T](out[0]), dbias, g, Slice[T](in[0]), in[0].Weights)
	return nil
}

// beforeActivation computes g.
func beforeActivation[T kernel.Float](l linearWeightGradient, in, out []*Array) []T {
	g := Slice[T](l.From(in, out)[1])
	if a := l.Activation; a.Kind != kernel.Identity {
		y := Slice[T](in[2])
		kernel.MapGrad(a.Kind, g, Slice[T](in[3]), y, y, T(a.A), T(a.B))
	}
	return g
}

// deferWeight computes g and the bias's gradient.
func deferWeight[T kernel.Float](l linearWeightGradient, in, out []*Array) error {
	m, n, _ := linearSizes(in[0], in[1])
	if g := beforeActivation[T](l, in, out); l.Bias {
		kernel.ColumnSums(Slice[T](out[len(out)-1]), g, m, n)
	}
	return nil
}

// weightRows computes rows of gᵀ·x from x and g.
func weightRows[T kernel.Float](dst *Array, from [2]*Array, row int) {
	x, g := from[0], from[1]
	rows, m, n, k := weightSizes(dst, from)
	kernel.GemmPacked(kernel.TN, rows, k, m, Slice[T](g)[min(row, g.Len):], n, Slice[T](x), k, x.Weights, Slice[T](dst), k, false, kernel.Epilogue[T]{})
}

// addWeightRows adds them times scale to dst, if that pays.
func addWeightRows[T kernel.Float](dst *Array, from [2]*Array, row int, scale T) bool {
	x, g := from[0], from[1]
	rows, m, n, k := weightSizes(dst, from)
	return kernel.AddProduct(rows, k, m, scale, Slice[T](g)[min(row, g.Len):], n, Slice[T](x), k, x.Weights, Slice[T](dst), k)
}

// weightSizes are the rows of dst, those of x (m, k) and g (m, n), and theirs.
func weightSizes(dst *Array, from [2]*Array) (rows, m, n, k int) {
	x, g := from[0], from[1]
	k, n = x.Shape[len(x.Shape)-1], g.Shape[len(g.Shape)-1]
	return dst.Len / max(k, 1), size(x.Shape[:len(x.Shape)-1]), n, k
}

// Defers is true for a large weight and few rows of x, which every part of the weight reads.
func (linearWeightGradient) Defers(in []*Array) bool {
	m, n, k := linearSizes(in[0], in[1])
	most := deferRows
	if n*k >= deferLarge && addsProduct(in[1].DType, n, k, m) {
		most = deferMoreRows
	}
	return m > 0 && m <= most && n*k >= deferElements
}

func addsProduct(dtype tensor.Dtype, m, n, k int) bool {
	if dtype == tensor.Float64 {
		return kernel.AddsProduct[float64](m, n, k)
	}
	return kernel.AddsProduct[float32](m, n, k)
}

const (
	deferRows     = 192
	deferElements = 1 << 15
	// Of a weight that leaves the caches each pass more counts: with 256 rows a step of a 1024×1024 layer takes 2 to 7 % less.
	deferMoreRows = 320
	deferLarge    = 1 << 20
)

func (l linearWeightGradient) From(in, out []*Array) [2]*Array {
	if l.Activation.Kind != kernel.Identity {
		return [2]*Array{in[0], out[1]}
	}
	return [2]*Array{in[0], in[3]}
}

func (l linearWeightGradient) Defer(in, out []*Array) error {
	return float(in[0],
		func() error { return deferWeight[float32](l, in, out) },
		func() error { return deferWeight[float64](l, in, out) })
}

func (linearWeightGradient) Prepare(from [2]*Array) {
	if x := from[0]; x.DType == tensor.Float32 && x.Weights != nil {
		k, g := x.Shape[len(x.Shape)-1], from[1]
		kernel.PackRight(kernel.TN, g.Shape[len(g.Shape)-1], k, size(x.Shape[:len(x.Shape)-1]), Slice[float32](x), k, x.Weights)
	}
}

func (linearWeightGradient) Rows(dst *Array, from [2]*Array, row int) {
	if dst.DType == tensor.Float64 {
		weightRows[float64](dst, from, row)
	} else {
		weightRows[float32](dst, from, row)
	}
}

func (linearWeightGradient) Add(dst *Array, from [2]*Array, row int, scale float64) bool {
	if dst.DType == tensor.Float64 {
		return addWeightRows(dst, from, row, scale)
	}
	return addWeightRows(dst, from, row, float32(scale))
}

// linearInputGradient is dx = g·weight; x itself gives only the shape. With an activation, whose output x then is, it is the gradient of
// the activation's input: (g·weight)·f'(x).
type linearInputGradient struct {
	noGradient
	Activation Activation
}

func (linearInputGradient) Name() string { return "linear_input_grad" }

func (l linearInputGradient) String() string { return l.Name() + l.Activation.suffix() }

func (linearInputGradient) Infer(in []Operand) ([]Operand, error) { return in[2:3:3], nil }

func (l linearInputGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runLinearInputGradient[float32](l, in, out) },
		func() error { return runLinearInputGradient[float64](l, in, out) })
}

func runLinearInputGradient[T kernel.Float](l linearInputGradient, in, out []*Array) error {
	m, n, k := linearSizes(out[0], in[1])
	var e kernel.Epilogue[T]
	if a := l.Activation; a.Kind != kernel.Identity {
		e.Derivative, e.Output, e.A, e.B = a.Kind, Slice[T](in[2]), T(a.A), T(a.B)
	}
	kernel.Gemm(kernel.NN, m, k, n, Slice[T](in[0]), n, Slice[T](in[1]), k, Slice[T](out[0]), k, false, e)
	return nil
}

// FuseGradients says how a layer's input gradient and the weight gradient of the layer before, which takes it through its activation, are
// computed so that the product does that where it is stored. ok is false where they aren't such.
func FuseGradients(dinput, dweight *gorgonia.Node) (input, weight Definition, ok bool) {
	after, before := Of(dinput), Of(dweight)
	if after == nil || before == nil {
		return nil, nil, false
	}
	i, ok1 := after.Definition.(linearInputGradient)
	w, ok2 := before.Definition.(linearWeightGradient)
	if !ok1 || !ok2 || i.Activation.Kind != kernel.Identity || w.Activation.Kind == kernel.Identity ||
		Inputs(dinput)[2] != Inputs(dweight)[2] || Inputs(dweight)[3] != dinput {
		return nil, nil, false
	}
	i.Activation, w.Activation = w.Activation, Activation{}
	return i, w, true
}
