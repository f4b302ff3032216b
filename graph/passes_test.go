package graph

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

type ones struct{}

func (ones) Init(_ *random.Generator, a *ops.Array) error {
	for i := range ops.Slice[float32](a) {
		ops.Slice[float32](a)[i] = 1
	}
	return nil
}

func floats(shape ...int) *Expr {
	a := ops.NewArray(ops.Operand{Shape: shape, DType: gorgonia.Float32})
	for i := range ops.Slice[float32](&a) {
		ops.Slice[float32](&a)[i] = float32(i) - 1.5
	}
	return FromArray(a)
}

// linearReLU is relu(x·wᵀ), with or without another use of the product.
type linearReLU struct{ twice bool }

func (f linearReLU) Apply(_ *Scope, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	y, err := ops.Linear(in[0], in[1], nil)
	if err != nil {
		return nil, err
	}
	z, err := ops.ReLU(y)
	if err != nil || !f.twice {
		return z, err
	}
	return ops.Add(z, y)
}

// planOf is the plan of an expression after a pass.
func planOf(t *testing.T, e *Expr, backward bool, last string) *Plan {
	t.Helper()
	plan, err := View{Pass: last, Backward: backward}.Of(e)
	require.NoError(t, err)
	return plan
}

func weight(t *testing.T, name string, shape ...int) *Param {
	t.Helper()
	s, err := NewStorage(gorgonia.Float32, []Spec{{Name: name, Shape: shape, Init: ones{}}}, random.New(1))
	require.NoError(t, err)
	return s.Params()[0]
}

func TestFuseLinear(t *testing.T) {
	w := weight(t, "w", 2, 3)
	e := Apply(linearReLU{}, floats(4, 3), w.Expr())
	require.Equal(t, `%2 = linear(input.0, w) float32 (4, 2)
%3 = relu(%2) float32 (4, 2)
value %3
`, planOf(t, e, false, "adopt").String())
	require.Equal(t, `%2 = linear+relu(input.0, w) float32 (4, 2)
value %2
`, planOf(t, e, false, "fuse-activation").String())
}

func TestFuseLinearLeavesAProductThatIsUsedTwice(t *testing.T) {
	w := weight(t, "w", 2, 3)
	e := Apply(linearReLU{twice: true}, floats(4, 3), w.Expr())
	require.Equal(t, `%2 = linear(input.0, w) float32 (4, 2)
%3 = relu(%2) float32 (4, 2)
%4 = add(%3, %2) float32 (4, 2)
value %4
`, planOf(t, e, false, "fuse-activation").String())
}

// convolutionNorm is relu(norm(x * w)) by given statistics.
type convolutionNorm struct{}

func (convolutionNorm) Apply(_ *Scope, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	y, err := ops.Convolution(in[0], in[1], nil, ops.ConvolutionSettings{Rank: 1, Groups: 1, Stride: ops.Spatial{1, 1, 1}, Dilation: ops.Spatial{1, 1, 1}})
	if err != nil {
		return nil, err
	}
	if y, err = ops.BatchNormOf(y, in[2], in[2], nil, in[2], 1e-5); err != nil {
		return nil, err
	}
	return ops.ReLU(y)
}

func TestFold(t *testing.T) {
	w, s := weight(t, "w", 2, 3, 2), weight(t, "s", 2)
	e := Apply(convolutionNorm{}, floats(4, 3, 5), w.Expr(), s.Expr())
	require.Equal(t, `%2 = convolution(input.0, w) float32 (4, 2, 4)
%4 = batch_norm(%2, s, s, s) float32 (4, 2, 4)
%5 = relu(%4) float32 (4, 2, 4)
value %5
`, planOf(t, e, false, "adopt").String())
	require.Equal(t, `%3 = convolution+batch_norm(input.0, w, s, s, s) float32 (4, 2, 4)
%4 = relu(%3) float32 (4, 2, 4)
value %4
`, planOf(t, e, false, "fold").String())
	require.Equal(t, `%3 = convolution+batch_norm+relu(input.0, w, s, s, s) float32 (4, 2, 4)
value %3
`, planOf(t, e, false, "own").String())
	require.NotContains(t, planOf(t, e.Sum(), true, "own").String(), "convolution+batch_norm", "where a gradient is wanted")
}

func TestGradientLeavesOutWhatNobodyAskedFor(t *testing.T) {
	w := weight(t, "w", 2, 3)
	e := Apply(linearReLU{}, floats(4, 3), w.Expr()).Sum()
	require.Equal(t, `%2 = linear+relu(input.0, w) float32 (4, 2)
%3 = sum(%2) float32 ()
%4 = ones_like(%3) float32 ()
%5 = sum_grad(%4, %2) float32 (4, 2)
%6 = linear_weight_grad(input.0, w, %2, %5) float32 (2, 3)
value %2
value %3
gradient w: %6
`, planOf(t, e, true, "own").String(), "no gradient of the input")
}

func TestSumGradients(t *testing.T) {
	x := floats(3).RequiresGrad()
	e := x.Exp().Add(x.Tanh()).Sum()
	require.Contains(t, planOf(t, e, true, "gradient").String(), "gorgonia[")
	require.NotContains(t, planOf(t, e, true, "sum-gradients").String(), "gorgonia[")
}

func TestFuseGradients(t *testing.T) {
	w, v := weight(t, "w", 2, 3), weight(t, "v", 4, 2)
	hidden := Apply(linearReLU{}, floats(5, 3).RequiresGrad(), w.Expr())
	e := Apply(linearReLU{}, hidden, v.Expr()).Sum()
	require.Contains(t, planOf(t, e, true, "sum-gradients").String(), `
%10 = linear_input_grad(%9, v, %2) float32 (5, 2)
%11 = linear_weight_grad(input.0, w, %2, %10) float32 (2, 3)
%12 = linear_weight_grad.1(%11) float32 (5, 2)
%13 = linear_input_grad(%12, w, input.0) float32 (5, 3)
`)
	require.Contains(t, planOf(t, e, true, "fuse-gradients").String(), `
%10 = linear_input_grad+relu(%9, v, %2) float32 (5, 2)
%11 = linear_input_grad(%10, w, input.0) float32 (5, 3)
%12 = linear_weight_grad(input.0, w, %2, %10) float32 (2, 3)
`)
	sum := hidden.Sum().Add(e)
	require.NotContains(t, planOf(t, sum, true, "own").String(), "linear_input_grad+relu", "the hidden layer's gradient is a sum")
}

func TestOwnCopiesSharedOutputs(t *testing.T) {
	x, y := floats(3).RequiresGrad(), floats(3).RequiresGrad()
	e := x.Add(y).Sum()
	require.Equal(t, 1, countOf(planOf(t, e, true, "own"), "identity"), "both gradients are one node")
	require.NoError(t, e.Backward())
	require.Equal(t, "tensor([1., 1., 1.])", x.Grad().String())
	require.Equal(t, "tensor([1., 1., 1.])", y.Grad().String())
}

func countOf(p *Plan, name string) int {
	n := 0
	for _, node := range sorted(p.roots()) {
		if op := ops.Of(node); op != nil && op.Name() == name {
			n++
		}
	}
	return n
}

func TestPassOrderIsChecked(t *testing.T) {
	require.NoError(t, checkOrder(passes))
	require.Error(t, checkOrder([]Pass{{Name: "b", After: []string{"a"}}, {Name: "a"}}))
	require.Error(t, checkOrder([]Pass{{Name: "a"}, {Name: "a"}}))
}

func TestView(t *testing.T) {
	e := floats(3).RequiresGrad().Exp().Sum()
	_, err := View{Pass: "fuse"}.Of(e)
	require.EqualError(t, err, `pass is "fuse", want build, adopt, fold, fuse-activation, gradient, sum-gradients, fuse-gradients, own`)
	_, err = View{}.Of(nil)
	require.Error(t, err)
	plan, err := View{Pass: "build"}.Of(e)
	require.NoError(t, err)
	dot := plan.Dot()
	require.Contains(t, dot, `n1 [label="exp\nfloat32 (3,)"]`)
	require.Contains(t, dot, "n0 -> n1")
	require.Contains(t, dot, `label="value"`)
	require.False(t, e.done, "nothing is computed")
}
