package format

import "cmp"

// Options are the settings of [torch.set_printoptions] and what the tensor's
// text says beside its values. The zero value is PyTorch's default.
//
// [torch.set_printoptions]: https://docs.pytorch.org/docs/2.15/generated/torch.set_printoptions.html
type Options struct {
	// Precision is the number of digits after the point: 0 means 4, a
	// negative number means none.
	Precision int
	// EdgeItems is the number of items shown at each end of a summarised
	// dimension: 0 means 3, a negative number means none.
	EdgeItems int
	// Threshold is the number of elements above which a tensor is
	// summarised: 0 means 1000, a negative number means always.
	Threshold int
	// LineWidth is the number of columns after which lines are broken: 0
	// means 80.
	LineWidth int
	// SciMode turns scientific notation on or off; nil lets the values decide.
	SciMode *bool
	// RequiresGrad adds "requires_grad=True", unless GradFn is set.
	RequiresGrad bool
	// GradFn is the name of the function that made the tensor, as
	// "SoftmaxBackward0"; it is printed as "grad_fn=<SoftmaxBackward0>".
	GradFn string
	// Indent is the column at which the text starts: lines after the first
	// are indented by as much, and line breaks leave room for it.
	Indent int
}

// withDefaults returns the options with PyTorch's number in place of 0 and 0
// in place of a negative number.
func (o Options) withDefaults() Options {
	o.Precision = max(0, cmp.Or(o.Precision, 4))
	o.EdgeItems = max(0, cmp.Or(o.EdgeItems, 3))
	o.Threshold = max(0, cmp.Or(o.Threshold, 1000))
	o.LineWidth = max(0, cmp.Or(o.LineWidth, 80))
	o.Indent = max(0, o.Indent)
	return o
}
