package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// OneHot has a 1 in the place that each class of x names, and 0 elsewhere: x int64 (*), y int64 (*, classes). PyTorch's -1, the
// largest class that the data has and one more, isn't known when a graph is built: it is a [ValueError], as is 0. A class that is
// negative or too large is an [IndexError] when the graph runs. There is no gradient. See
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.one_hot.html.
func OneHot(x *gorgonia.Node, classes int) (*gorgonia.Node, error) {
	return Apply(oneHot{Classes: classes}, x)
}

type oneHot struct {
	noGradient
	Classes int
}

func (oneHot) Name() string { return "one_hot" }

func (o oneHot) Infer(in []Operand) ([]Operand, error) {
	x := in[0]
	if o.Classes < 1 {
		return nil, &ValueError{What: "num_classes", Got: fmt.Sprint(o.Classes), Want: "1 or more"}
	}
	if x.DType != tensor.Int64 {
		return nil, &DTypeError{What: "input", Got: x.DType.String(), Want: "int64"}
	}
	return []Operand{{Shape: append(x.Shape.Clone(), o.Classes), DType: tensor.Int64}}, nil
}

func (o oneHot) Run(in, out []*Array) error {
	if err := checkIndices(in[0], o.Classes); err != nil {
		return err
	}
	y := Slice[int64](out[0])
	clear(y)
	for i, class := range Slice[int64](in[0]) {
		y[i*o.Classes+int(class)] = 1
	}
	return nil
}
