package losses

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

func init() {
	registerOwn("LinearCrossEntropyLoss", LinearCrossEntropyLoss.NewFrom, func(l *LinearCrossEntropyLoss, t map[string]*graph.Expr) { l.weight = t["weight"] }, "weight")
}

// LinearCrossEntropyLoss is made by [LinearCrossEntropy].
type LinearCrossEntropyLoss struct {
	weight      *graph.Expr
	InFeatures  int                   `torch:"in_features"`
	NumClasses  int                   `torch:"num_classes"`
	OutSizes    spec.Sizes            `torch:"out_features=[]"`
	HasBias     bool                  `torch:"bias=false"`
	Reduce      Reduction             `torch:"reduction=\"mean\""`
	Ignored     spec.Optional[int64]  `torch:"ignore_index=null"`
	Smoothing   float64               `torch:"label_smoothing=0.0"`
	Options     spec.Optional[string] `torch:"options=null;ignored"`
	tooManyDims bool
}

// LinearCrossEntropy is [CrossEntropy] of scores input·weightᵀ + bias, with parameters of its own, which New draws:
//
//	criterion := losses.LinearCrossEntropy(64, 1000).Bias(true).New()
//	optimizer := optimizers.SGD(append(model.Parameters(), criterion.Parameters()...), 0.1)
//	loss := criterion.Of(model.Forward(x), y)
//
// Parameters, as those of a layers.Linear: linear.weight (num_classes·Π out_features, in_features), linear.bias if there is one.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.LinearCrossEntropyLoss.html.
func LinearCrossEntropy(inFeatures, numClasses int) LinearCrossEntropyLoss {
	return LinearCrossEntropyLoss{InFeatures: inFeatures, NumClasses: numClasses}
}

// OutFeatures sets the sizes, at most 8, of a loss of several dims, which has scores (N, C, sizes…); the default is none.
func (l LinearCrossEntropyLoss) OutFeatures(sizes ...int) LinearCrossEntropyLoss {
	var ok bool
	l.OutSizes, ok = spec.SizesOf(sizes...)
	l.tooManyDims = !ok
	return l
}

// Bias says whether there is a bias; the default is false.
func (l LinearCrossEntropyLoss) Bias(on bool) LinearCrossEntropyLoss {
	l.HasBias = on
	return l
}

// Weight sets a weight for each class, (C).
func (l LinearCrossEntropyLoss) Weight(weight *graph.Expr) LinearCrossEntropyLoss {
	l.weight = weight
	return l
}

// IgnoreIndex sets the class index that counts for nothing, which probabilities for targets refuse; the default is -100.
func (l LinearCrossEntropyLoss) IgnoreIndex(index int64) LinearCrossEntropyLoss {
	l.Ignored = spec.Some(index)
	return l
}

// LabelSmoothing mixes the target with the uniform distribution, 0 to 1; the default is 0.
func (l LinearCrossEntropyLoss) LabelSmoothing(share float64) LinearCrossEntropyLoss {
	l.Smoothing = share
	return l
}

// Reduction sets what becomes of the single losses; the default is Mean.
func (l LinearCrossEntropyLoss) Reduction(r Reduction) LinearCrossEntropyLoss {
	l.Reduce = r
	return l
}

// New draws float32 parameters from the default generator. A mistake in the arguments is kept and given by whatever is done with
// the loss, Err first.
func (l LinearCrossEntropyLoss) New() *OwnLinearCrossEntropy {
	return l.NewFrom(random.Default(), tensor.Float32)
}

// NewFrom draws parameters of the given dtype, float32 or float64, from the given generator.
func (l LinearCrossEntropyLoss) NewFrom(g *random.Generator, dtype tensor.Dtype) *OwnLinearCrossEntropy {
	own := &OwnLinearCrossEntropy{loss: l}
	linear := layers.Linear(l.InFeatures, ops.Operand{Shape: l.classes()}.Size()).Bias(l.HasBias)
	if own.err = l.check(linear); own.err == nil {
		own.draw(g, dtype, within("linear", linear.Parameters()))
	}
	return own
}

// classes are num_classes and the sizes behind it.
func (l LinearCrossEntropyLoss) classes() []int {
	return append([]int{l.NumClasses}, l.OutSizes.List()...)
}

func (l LinearCrossEntropyLoss) check(linear layers.LinearLayer) error {
	if l.tooManyDims {
		return &ops.ValueError{What: "out_features", Got: "too long", Want: "at most 8 sizes"}
	}
	for i, n := range l.classes() {
		if n < 0 {
			return &ops.ValueError{What: []string{"num_classes", "out_features"}[min(i, 1)], Got: fmt.Sprint(n), Want: "0 or more"}
		}
	}
	return linear.Check()
}

// OwnLinearCrossEntropy is a [LinearCrossEntropyLoss] with its parameters.
type OwnLinearCrossEntropy struct {
	parameters
	loss LinearCrossEntropyLoss
}

// Of is the loss of an input, (N, in_features) or (in_features), and its target: int64 class indices, (N, out_features…) or (),
// or probabilities (N, C, out_features…) or (C) of the input's dtype.
func (l *OwnLinearCrossEntropy) Of(input, target *graph.Expr) *graph.Expr {
	if l.err != nil {
		return graph.Failed(l.err)
	}
	in := []*graph.Expr{input, target}
	if l.loss.weight != nil {
		in = append(in, l.loss.weight)
	}
	return graph.Apply(l, in...)
}

// Apply builds the nodes, for package graph.
func (l *OwnLinearCrossEntropy) Apply(scope *graph.Scope, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	scope = scope.Model(l.storage.State())
	classes := l.loss.classes()
	weight, err := shaped(scope, "linear.weight", append(slices.Clone(classes), l.loss.InFeatures))
	if err != nil {
		return nil, err
	}
	var bias *gorgonia.Node
	if l.loss.HasBias {
		if bias, err = shaped(scope, "linear.bias", classes); err != nil {
			return nil, err
		}
	}
	return ops.LinearCrossEntropy(in[0], weight, in[1], bias, at(in, 2), ops.LinearCrossEntropySettings{
		Ignore: l.loss.Ignored.Set, IgnoreIndex: l.loss.Ignored.Value, LabelSmoothing: l.loss.Smoothing, Reduction: l.loss.Reduce,
	})
}

// shaped is a parameter in another shape.
func shaped(scope *graph.Scope, name string, shape []int) (*gorgonia.Node, error) {
	p, err := scope.Param(name)
	if err != nil {
		return nil, err
	}
	return ops.Reshape(p, shape...)
}
