package layers

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[AdaptiveLogSoftmaxWithLossLayer]("AdaptiveLogSoftmaxWithLoss") }

// AdaptiveLogSoftmaxWithLossLayer is made by [AdaptiveLogSoftmaxWithLoss].
type AdaptiveLogSoftmaxWithLossLayer struct {
	InFeatures  int        `torch:"in_features"`
	NumClasses  int        `torch:"n_classes"`
	Limits      spec.Sizes `torch:"cutoffs"`
	Divisor     float64    `torch:"div_value=4.0"`
	HasHeadBias bool       `torch:"head_bias=false"`
}

// AdaptiveLogSoftmaxWithLoss is a softmax over many classes, sorted by how frequent they are, in two steps (Grave et al., 2017):
// a head scores the classes below the first cutoff and the clusters between the cutoffs, and a cluster, in in_features/div_valueⁱ
// dims, its own classes, only for the rows that need it. It is called with an input, (N, in_features) or (in_features), and the
// target, int64 (N) or (), and gives the targets' log-probabilities, and the loss, the mean of their negatives. Forward, without a
// target, gives the log-probabilities of all classes.
//
//	softmax := sequential.New(layers.AdaptiveLogSoftmaxWithLoss(64, 10000, 100, 1000))
//	out := softmax.Call(model.Forward(x), y)
//	logProbabilities, loss := out[0], out[1]
//	class := data.ArgMax(softmax.Predict(model.Predict(x)), 1)
//
// Cutoffs, at most 8, rise from 1 up to n_classes - 1. Parameters, each as that of a [Linear]: head.weight (first cutoff + clusters,
// in_features), head.bias if there is one, and of each cluster i tail.i.0.weight and tail.i.1.weight.
//
// A target out of range is an [ops.IndexError].
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveLogSoftmaxWithLoss.html.
func AdaptiveLogSoftmaxWithLoss(inFeatures, classes int, cutoffs ...int) AdaptiveLogSoftmaxWithLossLayer {
	l := AdaptiveLogSoftmaxWithLossLayer{InFeatures: inFeatures, NumClasses: classes, Divisor: 4}
	l.Limits, _ = spec.SizesOf(cutoffs...)
	return l
}

// DivValue sets by how much each cluster has fewer dims than the one before; the default is 4.
func (l AdaptiveLogSoftmaxWithLossLayer) DivValue(divisor float64) AdaptiveLogSoftmaxWithLossLayer {
	l.Divisor = divisor
	return l
}

// HeadBias says whether the head has a bias; the default is false.
func (l AdaptiveLogSoftmaxWithLossLayer) HeadBias(on bool) AdaptiveLogSoftmaxWithLossLayer {
	l.HasHeadBias = on
	return l
}

// linears are the head and two of each cluster, by their names.
func (l AdaptiveLogSoftmaxWithLossLayer) linears() (names []string, linears []LinearLayer) {
	cutoffs := append(l.Limits.List(), l.NumClasses)
	clusters := len(cutoffs) - 1
	names, linears = []string{"head"}, []LinearLayer{Linear(l.InFeatures, cutoffs[0]+clusters).Bias(l.HasHeadBias)}
	for i := range clusters {
		hidden := int(math.Floor(float64(l.InFeatures) / math.Pow(l.Divisor, float64(i+1))))
		names = append(names, fmt.Sprintf("tail.%d.0", i), fmt.Sprintf("tail.%d.1", i))
		linears = append(linears, Linear(l.InFeatures, hidden).Bias(false), Linear(hidden, cutoffs[i+1]-cutoffs[i]).Bias(false))
	}
	return names, linears
}

// Parameters are the weights of the head and of each cluster.
func (l AdaptiveLogSoftmaxWithLossLayer) Parameters() []graph.Spec {
	var specs []graph.Spec
	names, linears := l.linears()
	for i, linear := range linears {
		for _, s := range linear.Parameters() {
			s.Name = names[i] + "." + s.Name
			specs = append(specs, s)
		}
	}
	return specs
}

// Inputs are the input and the target.
func (AdaptiveLogSoftmaxWithLossLayer) Inputs() []string { return []string{"input", "target"} }

// Outputs are the targets' log-probabilities, and the loss.
func (AdaptiveLogSoftmaxWithLossLayer) Outputs() []string { return []string{"output", "loss"} }

// Call is [ops.AdaptiveLogSoftmax] and its negative mean, or without a target [ops.AdaptiveLogProbabilities] alone.
func (l AdaptiveLogSoftmaxWithLossLayer) Call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	if err := need(l, in, 1); err != nil {
		return nil, err
	}
	head, bias, tails, err := l.weights(scope)
	if err != nil {
		return nil, err
	}
	if in[1] == nil {
		all, err := ops.AdaptiveLogProbabilities(in[0], head, bias, tails...)
		return []*gorgonia.Node{all}, err
	}
	output, err := ops.AdaptiveLogSoftmax(in[0], in[1], head, bias, tails...)
	if err != nil {
		return nil, err
	}
	negative, err := ops.Neg(output)
	if err != nil {
		return nil, err
	}
	loss, err := ops.Mean(negative)
	return []*gorgonia.Node{output, loss}, err
}

// Forward is Call without a target.
func (l AdaptiveLogSoftmaxWithLossLayer) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return first(l, scope, x)
}

func (l AdaptiveLogSoftmaxWithLossLayer) weights(scope *graph.Scope) (head, bias *gorgonia.Node, tails []ops.AdaptiveTail, err error) {
	param := func(name string) (n *gorgonia.Node) {
		if err == nil {
			n, err = scope.Param(name)
		}
		return n
	}
	head = param("head.weight")
	if l.HasHeadBias {
		bias = param("head.bias")
	}
	for i := range l.Limits.List() {
		tail := fmt.Sprintf("tail.%d.", i)
		tails = append(tails, ops.AdaptiveTail{Projection: param(tail + "0.weight"), Scores: param(tail + "1.weight")})
	}
	return head, bias, tails, err
}

// Check refuses cutoffs that don't rise, and sizes that are not.
func (l AdaptiveLogSoftmaxWithLossLayer) Check() error {
	cutoffs, least := l.Limits.List(), 1
	if len(cutoffs) == 0 {
		return &ops.ValueError{What: "cutoffs", Got: "none, or more than 8", Want: "1 to 8"}
	}
	for _, c := range cutoffs {
		if c < least || c >= l.NumClasses {
			return &ops.ValueError{What: "cutoffs", Got: fmt.Sprint(cutoffs), Want: fmt.Sprintf("rising numbers from 1 to %d", l.NumClasses-1)}
		}
		least = c + 1
	}
	if !(l.Divisor > 0) {
		return &ops.ValueError{What: "div_value", Got: fmt.Sprint(l.Divisor), Want: "above 0"}
	}
	_, linears := l.linears()
	for _, linear := range linears {
		if err := linear.Check(); err != nil {
			return err
		}
	}
	return nil
}

// String is PyTorch's text of the head and the clusters.
func (l AdaptiveLogSoftmaxWithLossLayer) String() string {
	_, linears := l.linears()
	text := "AdaptiveLogSoftmaxWithLoss(\n  (head): " + linears[0].String() + "\n  (tail): ModuleList("
	for i := 1; i < len(linears); i += 2 {
		text += fmt.Sprintf("\n    (%d): Sequential(\n      (0): %v\n      (1): %v\n    )", i/2, linears[i], linears[i+1])
	}
	return text + "\n  )\n)"
}
