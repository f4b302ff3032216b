package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// CTCSettings are the settings of [CTCLoss]; the zero value is PyTorch's default.
type CTCSettings struct {
	Blank        int64 // the label of no label
	ZeroInfinity bool  // what can't be aligned costs nothing, instead of infinitely much
	Reduction    Reduction
}

// CTCLoss is the connectionist temporal classification loss: the negative log likelihood of the targets under all their alignments
// with the steps. The log-probabilities are (T, N, C), or (T, C) for one sample; the targets int64 classes, (N, S) padded or one
// after the other in one dim; inputLengths and targetLengths, int64 (N), say what counts of each sample. The single losses are
// (N), or (); the mean is that of each loss over its target's length. The gradient is that of scores below a log-softmax, as
// PyTorch's.
//
// A length that is negative or too long is a [ValueError], a class out of range an [IndexError]. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.ctc_loss.html.
func CTCLoss(logProbabilities, targets, inputLengths, targetLengths *gorgonia.Node, settings CTCSettings) (*gorgonia.Node, error) {
	return Apply(ctc{settings}, logProbabilities, targets, inputLengths, targetLengths)
}

type ctc struct{ Settings CTCSettings }

func (ctc) Name() string { return "ctc_loss" }

// Reduced makes it a [Loss].
func (c ctc) Reduced() Reduction { return c.Settings.Reduction }

// ctcSizes views (T, N, C) or (T, C) as three sizes.
func ctcSizes(shape []int) (steps, batch, classes int) {
	if len(shape) == 2 {
		return shape[0], 1, shape[1]
	}
	return shape[0], shape[1], shape[2]
}

var ctcInputs = [...]string{"log_probs", "targets", "input_lengths", "target_lengths"}

// Infer keeps, after the loss and the gradient, the samples' losses.
func (c ctc) Infer(in []Operand) ([]Operand, error) {
	x := in[0]
	if err := c.Settings.Reduction.check(false); err != nil {
		return nil, err
	}
	if err := wantFloat(ctcInputs[0], x); err != nil {
		return nil, err
	}
	if rank := len(x.Shape); rank != 2 && rank != 3 || x.Size() == 0 {
		return nil, &ShapeError{What: ctcInputs[0], Got: x.Shape, Note: "(T, N, C) or (T, C), none of them 0"}
	}
	_, batch, classes := ctcSizes(x.Shape)
	if b := c.Settings.Blank; b < 0 || b >= int64(classes) {
		return nil, &ValueError{What: "blank", Got: fmt.Sprint(b), Want: fmt.Sprintf("a class, 0 to %d", classes-1)}
	}
	for i, o := range in[1:] {
		if o.DType != tensor.Int64 {
			return nil, &DTypeError{What: ctcInputs[i+1], Got: o.DType.String(), Want: "int64"}
		}
	}
	if t := in[1].Shape; len(t) != 1 && (len(t) != 2 || t[0] != batch) {
		return nil, &ShapeError{What: ctcInputs[1], Got: t, Want: []int{batch, -1}, Note: "or all in one dim"}
	}
	for i, o := range in[2:] {
		if len(o.Shape) > 1 || o.Size() != batch {
			return nil, &ShapeError{What: ctcInputs[i+2], Got: o.Shape, Want: []int{batch}}
		}
	}
	elements := tensor.Shape{}
	if len(x.Shape) == 3 {
		elements = tensor.Shape{batch}
	}
	out := c.Settings.Reduction.outputs(elements, x)
	return append(out, Operand{Shape: tensor.Shape{batch}, DType: x.DType}), nil
}

func (c ctc) Run(in, out []*Array) error {
	args, err := c.args(in)
	if err != nil {
		return err
	}
	return float(out[0],
		func() error { return runCTC[float32](c.Settings.Reduction, args, in, out) },
		func() error { return runCTC[float64](c.Settings.Reduction, args, in, out) })
}

// args checks lengths and targets, which are data.
func (c ctc) args(in []*Array) (kernel.CTCArgs, error) {
	a := kernel.CTCArgs{Blank: c.Settings.Blank, ZeroInfinity: c.Settings.ZeroInfinity}
	a.Steps, a.Batch, a.Classes = ctcSizes(in[0].Shape)
	targets := Slice[int64](in[1])
	a.InputLengths, a.TargetLengths = Slice[int64](in[2]), Slice[int64](in[3])
	longest := len(targets)
	if len(in[1].Shape) == 2 {
		longest = in[1].Shape[1]
		a.Stride = longest
	}
	for i := range a.Batch {
		if err := lengthWithin(ctcInputs[2], i, a.InputLengths[i], a.Steps); err != nil {
			return a, err
		}
		if err := lengthWithin(ctcInputs[3], i, a.TargetLengths[i], longest); err != nil {
			return a, err
		}
	}
	at := 0
	for i, n := range a.TargetLengths {
		if a.Stride > 0 {
			at = i * a.Stride
		}
		for j := at; j < at+int(n); j++ {
			if j >= len(targets) {
				break
			}
			if t := targets[j]; t < 0 || t >= int64(a.Classes) {
				return a, &IndexError{What: ctcInputs[1], Index: t, At: j, Size: a.Classes}
			}
		}
		at += int(n)
	}
	if len(in[1].Shape) == 1 && at != len(targets) {
		return a, &ShapeError{What: ctcInputs[1], Got: in[1].Shape, Want: []int{at}, Note: "the sum of target_lengths"}
	}
	return a, nil
}

func lengthWithin(what string, i int, n int64, most int) error {
	if n < 0 || n > int64(most) {
		return &ValueError{What: fmt.Sprintf("%s at position %d", what, i), Got: fmt.Sprint(n), Want: fmt.Sprintf("0 to %d", most)}
	}
	return nil
}

func runCTC[T kernel.Float](r Reduction, args kernel.CTCArgs, in, out []*Array) error {
	gradient, losses := Slice[T](out[1]), Slice[T](out[2])
	kernel.CTC(losses, gradient, Slice[T](in[0]), Slice[int64](in[1]), args)
	switch r {
	case ReductionNone:
		copy(Slice[T](out[0]), losses)
	case ReductionSum:
		Slice[T](out[0])[0] = kernel.Sum(losses)
	default:
		sum := 0.0
		for b := range losses {
			divisor := float64(args.Batch) * float64(max(args.TargetLengths[b], 1))
			sum += float64(losses[b]) / divisor
			for t := range args.Steps {
				at := (t*args.Batch + b) * args.Classes
				step := gradient[at : at+args.Classes]
				kernel.Scale(step, step, T(1/divisor))
			}
		}
		Slice[T](out[0])[0] = T(sum)
	}
	return nil
}

func (ctc) Gradient(_ gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := lossGradientAlong(-1, 1, out, grad)
	return gorgonia.Nodes{dx, nil, nil, nil}, err
}

func (ctc) Differentiable([]Operand) []bool { return []bool{true, false, false, false} }
