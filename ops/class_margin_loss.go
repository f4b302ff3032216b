package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// MultiMarginSettings are the settings of [MultiMarginLoss]; [DefaultMultiMargin] has PyTorch's defaults.
type MultiMarginSettings struct {
	P         int // the power, 1 or 2
	Margin    float64
	Reduction Reduction
}

// DefaultMultiMargin has power 1 and margin 1.
var DefaultMultiMargin = MultiMarginSettings{P: 1, Margin: 1}

// MultiMarginLoss is Σ_{c≠t} max(0, margin - x_t + x_c)^p·weight_t / C for scores x, (N, C) or (C), and the class t that the int64
// target, (N) or (), names; weight is (C) or nil. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multi_margin_loss.html.
func MultiMarginLoss(x, target, weight *gorgonia.Node, settings MultiMarginSettings) (*gorgonia.Node, error) {
	if settings.P != 1 && settings.P != 2 {
		return nil, &ValueError{What: "p", Got: fmt.Sprint(settings.P), Want: "1 or 2"}
	}
	return Apply(classMargin{Settings: settings}, optional(weight, x, target)...)
}

// MultiLabelMarginLoss is Σ_{t, c} max(0, 1 - x_t + x_c) / C for scores x, (N, C) or (C), over the classes t that the target, int64
// of the same shape, names before its first -1, and the classes c that it doesn't. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_margin_loss.html.
func MultiLabelMarginLoss(x, target *gorgonia.Node, r Reduction) (*gorgonia.Node, error) {
	settings := DefaultMultiMargin
	settings.Reduction = r
	return Apply(classMargin{Settings: settings, MultiLabel: true}, x, target)
}

// classMargin is the family of losses by which the scores of right classes must lead those of wrong ones.
type classMargin struct {
	Settings   MultiMarginSettings
	MultiLabel bool // a row's target names any number of classes, and not just one
}

func (c classMargin) Name() string {
	if c.MultiLabel {
		return "multilabel_margin_loss"
	}
	return "multi_margin_loss"
}

// rowsOfClasses views (N, C), (C) or () as rows of classes.
func rowsOfClasses(shape []int) (rows, classes int) {
	switch len(shape) {
	case 0:
		return 1, 1
	case 1:
		return 1, shape[0]
	}
	return shape[0], shape[1]
}

// Infer keeps, after the loss and the gradient, room to mark a row's right classes.
func (c classMargin) Infer(in []Operand) ([]Operand, error) {
	x, target := in[0], in[1]
	if err := c.Settings.Reduction.check(false); err != nil {
		return nil, err
	}
	if err := wantFloat("input", x); err != nil {
		return nil, err
	}
	rows, classes := rowsOfClasses(x.Shape)
	if len(x.Shape) > 2 || classes == 0 {
		return nil, &ShapeError{What: "input", Got: x.Shape, Note: "(N, C) or (C,), C above 0"}
	}
	if target.DType != tensor.Int64 {
		return nil, &DTypeError{What: "target", Got: target.DType.String(), Want: "int64 class indices"}
	}
	elements := target.Shape
	if c.MultiLabel {
		if !sameShape(target.Shape, x.Shape) {
			return nil, &ShapeError{What: "target", Got: target.Shape, Want: shapeOf(x)}
		}
		elements = x.Shape[:max(len(x.Shape)-1, 0)]
	} else if len(target.Shape) > 1 || target.Size() != rows {
		return nil, &ShapeError{What: "target", Got: target.Shape, Want: []int{rows}, Note: "for input " + ShapeString(x.Shape)}
	}
	if len(in) > 2 {
		if err := wantLike("weight", in[2], Operand{Shape: tensor.Shape{classes}, DType: x.DType}); err != nil {
			return nil, err
		}
	}
	return append(c.Settings.Reduction.outputs(elements, x), Operand{Shape: tensor.Shape{classes}, DType: tensor.Bool}), nil
}

func (c classMargin) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runClassMargin[float32](c, in, out) },
		func() error { return runClassMargin[float64](c, in, out) })
}

func runClassMargin[T kernel.Float](c classMargin, in, out []*Array) error {
	rows, classes := rowsOfClasses(in[0].Shape)
	x, target := Slice[T](in[0]), Slice[int64](in[1])
	losses, gradient, right := Slice[T](out[0]), Slice[T](out[1]), Slice[bool](out[2])
	clear(gradient)
	divisor := float64(classes)
	if c.Settings.Reduction == ReductionMean {
		divisor *= float64(rows)
	}
	sum := 0.0
	for r := range rows {
		named, err := c.named(target, r, classes)
		if err != nil {
			return err
		}
		clear(right)
		for _, t := range named {
			right[t] = true
		}
		scores, slopes := x[r*classes:][:classes], gradient[r*classes:][:classes]
		loss := 0.0
		for _, t := range named {
			weight := 1 / divisor
			if len(in) > 2 {
				weight *= float64(Slice[T](in[2])[t])
			}
			loss += weight * marginOf(slopes, scores, right, t, weight, c.Settings)
		}
		if c.Settings.Reduction == ReductionNone {
			losses[r] = T(loss)
		}
		sum += loss
	}
	if c.Settings.Reduction != ReductionNone {
		losses[0] = T(sum)
	}
	return nil
}

// named gives the classes that a row's target names.
func (c classMargin) named(target []int64, row, classes int) ([]int64, error) {
	n, least := 1, int64(0)
	if c.MultiLabel {
		n, least = classes, -1
	}
	all := target[row*n:][:n]
	named := all
	for i, t := range all {
		if t < least || t >= int64(classes) {
			return nil, &IndexError{What: "target", Index: t, At: row*n + i, Size: classes}
		}
		if t < 0 && len(named) == n {
			named = all[:i]
		}
	}
	return named, nil
}

// marginOf is what wrong classes cost beside a right one, and adds the slopes, times weight.
func marginOf[T kernel.Float](slopes, scores []T, right []bool, t int64, weight float64, s MultiMarginSettings) float64 {
	cost, slope := 0.0, 0.0
	lead := s.Margin - float64(scores[t])
	for k, score := range scores {
		short := lead + float64(score)
		if right[k] || !(short > 0) {
			continue
		}
		d := weight
		if s.P == 2 {
			d *= 2 * short
			short *= short
		}
		cost += short
		slope += d
		slopes[k] += T(d)
	}
	slopes[t] -= T(slope)
	return cost
}

func (c classMargin) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := lossGradientOf(out, grad)
	return gorgonia.Nodes{dx, nil, nil}[:len(in)], err
}

func (c classMargin) Differentiable(in []Operand) []bool { return []bool{true, false, false}[:len(in)] }
