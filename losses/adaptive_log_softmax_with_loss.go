package losses

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/random"
)

func init() {
	registerOwn("AdaptiveLogSoftmaxWithLoss", AdaptiveLogSoftmaxLoss.NewFrom, nil)
}

// AdaptiveLogSoftmaxLoss is made by [AdaptiveLogSoftmaxWithLoss].
type AdaptiveLogSoftmaxLoss layers.AdaptiveLogSoftmaxWithLossLayer

// AdaptiveLogSoftmaxWithLoss is [layers.AdaptiveLogSoftmaxWithLoss], the softmax over many classes in two steps, as a loss with
// parameters of its own, which New draws:
//
//	criterion := losses.AdaptiveLogSoftmaxWithLoss(64, 10000, 100, 1000).New()
//	optimizer := optimizers.SGD(append(model.Parameters(), criterion.Parameters()...), 0.1)
//	loss := criterion.Of(model.Forward(x), y)
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveLogSoftmaxWithLoss.html.
func AdaptiveLogSoftmaxWithLoss(inFeatures, classes int, cutoffs ...int) AdaptiveLogSoftmaxLoss {
	return AdaptiveLogSoftmaxLoss(layers.AdaptiveLogSoftmaxWithLoss(inFeatures, classes, cutoffs...))
}

// DivValue sets by how much each cluster has fewer dims than the one before; the default is 4.
func (l AdaptiveLogSoftmaxLoss) DivValue(divisor float64) AdaptiveLogSoftmaxLoss {
	l.Divisor = divisor
	return l
}

// HeadBias says whether the head has a bias; the default is false.
func (l AdaptiveLogSoftmaxLoss) HeadBias(on bool) AdaptiveLogSoftmaxLoss {
	l.HasHeadBias = on
	return l
}

// New draws float32 parameters from the default generator. A mistake in the arguments is kept and given by whatever is done with
// the loss, Err first.
func (l AdaptiveLogSoftmaxLoss) New() *OwnAdaptiveLogSoftmax {
	return l.NewFrom(random.Default(), tensor.Float32)
}

// NewFrom draws parameters of the given dtype, float32 or float64, from the given generator.
func (l AdaptiveLogSoftmaxLoss) NewFrom(g *random.Generator, dtype tensor.Dtype) *OwnAdaptiveLogSoftmax {
	own := &OwnAdaptiveLogSoftmax{layer: layers.AdaptiveLogSoftmaxWithLossLayer(l)}
	if own.err = own.layer.Check(); own.err == nil {
		own.draw(g, dtype, own.layer.Parameters())
	}
	return own
}

// OwnAdaptiveLogSoftmax is an [AdaptiveLogSoftmaxLoss] with its parameters.
type OwnAdaptiveLogSoftmax struct {
	parameters
	layer layers.AdaptiveLogSoftmaxWithLossLayer
}

// Of is the loss of an input, (N, in_features) or (in_features), and its target, int64 (N) or (): the mean of the targets'
// negative log-probabilities.
func (l *OwnAdaptiveLogSoftmax) Of(input, target *graph.Expr) *graph.Expr {
	_, loss := l.OutputAndLoss(input, target)
	return loss
}

// OutputAndLoss are the targets' log-probabilities, (N) or (), and the loss, as PyTorch's call gives both.
func (l *OwnAdaptiveLogSoftmax) OutputAndLoss(input, target *graph.Expr) (output, loss *graph.Expr) {
	if l.err != nil {
		return graph.Failed(l.err), graph.Failed(l.err)
	}
	both := graph.Call{Function: l, Training: true}.All(2, input, target)
	return both[0], both[1]
}

// LogProbabilities are those of all classes, (N, C) or (C): PyTorch's log_prob. Its predict is their [data.ArgMax].
//
// [data.ArgMax]: https://pkg.go.dev/github.com/seed-70b75153/aegis/data#ArgMax
func (l *OwnAdaptiveLogSoftmax) LogProbabilities(input *graph.Expr) *graph.Expr {
	if l.err != nil {
		return graph.Failed(l.err)
	}
	return graph.Call{Function: l, Training: true}.Of(input)
}

// Apply builds the nodes of LogProbabilities, for package graph.
func (l *OwnAdaptiveLogSoftmax) Apply(scope *graph.Scope, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	return l.layer.Forward(scope.Model(l.storage.State()), in[0])
}

// ApplyAll builds the nodes of the output and the loss, for package graph.
func (l *OwnAdaptiveLogSoftmax) ApplyAll(scope *graph.Scope, in ...*gorgonia.Node) ([]*gorgonia.Node, error) {
	return l.layer.Call(scope.Model(l.storage.State()), in)
}
