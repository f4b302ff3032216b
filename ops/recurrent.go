package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// Recurrence says what one direction of a recurrent layer does.
type Recurrence struct {
	Cell    kernel.Cell
	Reverse bool // from the last step to the first
}

// RecurrentWeights are the parameters of one direction of a recurrent layer, gate after gate as PyTorch stores them:
// IH (gates·hidden, input), HH (gates·hidden, output), the biases (gates·hidden) or nil, and HR (output, hidden) where an
// LSTM's output is projected, else nil.
type RecurrentWeights struct{ IH, HH, BiasIH, BiasHH, HR *gorgonia.Node }

// Recurrent is one direction of one recurrent layer over a whole sequence x (steps, batch, input), from the state h
// (batch, output), and of an LSTM c (batch, hidden), or nil for zeros. It gives y (steps, batch, output) and the last state.
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html.
func Recurrent(r Recurrence, x *gorgonia.Node, w RecurrentWeights, h, c *gorgonia.Node) (y, hn, cn *gorgonia.Node, err error) {
	d := recurrent{Recurrence: r, Bias: w.BiasIH != nil, Initial: h != nil, Projected: w.HR != nil}
	in := gorgonia.Nodes{x, w.IH, w.HH}
	for _, n := range []*gorgonia.Node{w.BiasIH, w.BiasHH, w.HR, h, c} {
		if n != nil {
			in = append(in, n)
		}
	}
	packed, err := Apply(d, in...)
	if err != nil {
		return nil, nil, nil, err
	}
	s := d.sizes(operandOf(x).Shape, w.IH.Shape(), w.HH.Shape())
	last := s.steps - 1
	if r.Reverse {
		last = 0
	}
	state := s.batch * s.output
	if y, err = viewed(packed, 0, s.steps, s.batch, s.output); err != nil {
		return nil, nil, nil, err
	}
	if hn, err = viewed(packed, last*state, s.batch, s.output); err != nil || r.Cell != kernel.LSTM {
		return y, hn, nil, err
	}
	cn, err = viewed(packed, s.steps*state, s.batch, s.hidden)
	return y, hn, cn, err
}

// viewed is a part of a flat array in a shape of its own.
func viewed(flat *gorgonia.Node, from int, shape ...int) (*gorgonia.Node, error) {
	n, err := Narrow(flat, 0, from, size(shape))
	if err != nil {
		return nil, err
	}
	return Reshape(n, shape...)
}

// recurrent packs y and, of an LSTM, the last c into one flat value. It keeps the activated gates and what else
// [kernel.Recurrent] needs to go back.
type recurrent struct {
	Recurrence
	Bias, Initial, Projected bool
}

// recurrentSizes are those of a sequence.
type recurrentSizes struct{ steps, batch, input, hidden, output int }

func (d recurrent) sizes(x, ih, hh []int) recurrentSizes {
	return recurrentSizes{x[0], x[1], x[2], ih[0] / d.Cell.Gates(), hh[1]}
}

// value is the size of the packed value.
func (d recurrent) value(s recurrentSizes) int {
	n := s.steps * s.batch * s.output
	if d.Cell == kernel.LSTM {
		n += s.batch * s.hidden
	}
	return n
}

func (d recurrent) Name() string { return d.Cell.String() }

// named are the inputs by what they are; -1 is one that isn't there.
func (d recurrent) named() (biasIH, biasHH, hr, h, c int) {
	at := 3
	next := func(there bool) int {
		if !there {
			return -1
		}
		at++
		return at - 1
	}
	biasIH, biasHH, hr = next(d.Bias), next(d.Bias), next(d.Projected)
	return biasIH, biasHH, hr, next(d.Initial), next(d.Initial && d.Cell == kernel.LSTM)
}

func (d recurrent) MultiplyAdds(in, _ []Operand) int {
	s := d.sizes(in[0].Shape, in[1].Shape, in[2].Shape)
	each := in[1].Size() + in[2].Size()
	if d.Projected {
		each += s.output * s.hidden
	}
	return s.steps * s.batch * each
}

func (d recurrent) Infer(in []Operand) ([]Operand, error) {
	x, ih, hh := in[0], in[1], in[2]
	if err := wantFloat("input", x); err != nil {
		return nil, err
	}
	if len(ih.Shape) != 2 || len(hh.Shape) != 2 {
		return nil, &ShapeError{What: "weight", Got: ih.Shape, Want: []int{-1, -1}}
	}
	if len(x.Shape) != 3 || x.Shape[2] != ih.Shape[1] {
		return nil, &ShapeError{What: "input", Got: x.Shape, Want: []int{-1, -1, ih.Shape[1]}}
	}
	if x.Shape[0] == 0 {
		return nil, &ShapeError{What: "input", Got: x.Shape, Note: "one step or more"}
	}
	s := d.sizes(x.Shape, ih.Shape, hh.Shape)
	biasIH, biasHH, hr, h, c := d.named()
	for _, want := range []struct {
		at    int
		what  string
		shape []int
	}{
		{1, "weight_ih", []int{d.Cell.Gates() * s.hidden, s.input}}, {2, "weight_hh", []int{ih.Shape[0], s.output}},
		{biasIH, "bias_ih", ih.Shape[:1]}, {biasHH, "bias_hh", ih.Shape[:1]}, {hr, "weight_hr", []int{s.output, s.hidden}},
		{h, "h_0", []int{s.batch, s.output}}, {c, "c_0", []int{s.batch, s.hidden}},
	} {
		if want.at >= 0 {
			if err := wantLike(want.what, in[want.at], Operand{Shape: want.shape, DType: x.DType}); err != nil {
				return nil, err
			}
		}
	}
	if !d.Projected && s.output != s.hidden {
		return nil, &ShapeError{What: "weight_hh", Got: hh.Shape, Want: []int{ih.Shape[0], s.hidden}}
	}
	out := []Operand{{Shape: tensor.Shape{d.value(s)}, DType: x.DType}}
	if kept := d.kept(s); kept > 0 {
		out = append(out, Operand{Shape: tensor.Shape{kept, s.steps, s.batch, s.hidden}, DType: x.DType})
	}
	return out, nil
}

// kept is the number of blocks that the forward pass keeps.
func (d recurrent) kept(s recurrentSizes) int {
	r := recurrentOf[float32](d, s)
	return r.Kept()
}

func recurrentOf[T kernel.Float](d recurrent, s recurrentSizes) kernel.Recurrent[T] {
	r := kernel.Recurrent[T]{Cell: d.Cell, Reverse: d.Reverse, Steps: s.steps, Batch: s.batch, Input: s.input, Hidden: s.hidden}
	if d.Projected {
		r.Projection = s.output
	}
	return r
}

// bound is the kernel with its operands.
func bound[T kernel.Float](d recurrent, in []*Array) (kernel.Recurrent[T], recurrentSizes) {
	s := d.sizes(in[0].Shape, in[1].Shape, in[2].Shape)
	r := recurrentOf[T](d, s)
	slice := func(at int) []T {
		if at < 0 {
			return nil
		}
		return Slice[T](in[at])
	}
	biasIH, biasHH, hr, h, c := d.named()
	r.WeightIH, r.WeightHH, r.BiasIH, r.BiasHH = slice(1), slice(2), slice(biasIH), slice(biasHH)
	r.WeightHR, r.Initial, r.InitialCell = slice(hr), slice(h), slice(c)
	return r, s
}

func (d recurrent) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runRecurrent[float32](d, in, out) },
		func() error { return runRecurrent[float64](d, in, out) })
}

func runRecurrent[T kernel.Float](d recurrent, in, out []*Array) error {
	r, s := bound[T](d, in)
	packed := Slice[T](out[0])
	var kept []T
	if len(out) > 1 {
		kept = Slice[T](out[1])
	}
	n := s.steps * s.batch * s.output
	r.Forward(packed[:n], kept, Slice[T](in[0]))
	if d.Cell == kernel.LSTM {
		r.LastCell(packed[n:], kept)
	}
	return nil
}

// Gradient goes back through time once; the gradients of the input and of the weights are products of what that leaves,
// which a program leaves out where nobody wants them.
func (d recurrent) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	back := append(append(gorgonia.Nodes{}, in...), out, grad)
	if len(Of(out).Out) > 1 {
		kept, err := Result(out, 1)
		if err != nil {
			return nil, err
		}
		back = append(back, kept)
	}
	gates, err := Apply(recurrentGradient{of: d}, back...)
	if err != nil {
		return nil, err
	}
	gradients := make(gorgonia.Nodes, len(in))
	if gradients[0], err = Apply(recurrentInputGradient{of: d}, gates, in[0], in[1], in[2]); err != nil {
		return nil, err
	}
	biasIH, biasHH, hr, h, c := d.named()
	weights := gorgonia.Nodes{gates, out, in[0], in[1], in[2]}
	if h >= 0 {
		weights = append(weights, in[h])
	}
	if gradients[1], err = Apply(recurrentWeightGradient{of: d}, weights...); err != nil {
		return nil, err
	}
	for i, at := range []int{2, biasIH, biasHH} {
		if at >= 0 {
			if gradients[at], err = Result(gradients[1], i+1); err != nil {
				return nil, err
			}
		}
	}
	i := 1
	for _, at := range []int{hr, h, c} {
		if at >= 0 {
			if gradients[at], err = Result(gates, i); err != nil {
				return nil, err
			}
			i++
		}
	}
	return gradients, nil
}

func (d recurrent) Differentiable(in []Operand) []bool { return allTrue(len(in)) }

func allTrue(n int) []bool {
	all := make([]bool, n)
	for i := range all {
		all[i] = true
	}
	return all
}

// recurrentGradient gives the gradients of the gates before their activations, and with them those of the projection and
// the initial state. Its inputs are the operation's, its output, the gradient that came in, and what was kept.
type recurrentGradient struct {
	noGradient
	of recurrent
}

func (d recurrentGradient) Name() string { return d.of.Name() + "_grad" }

func (d recurrentGradient) Infer(in []Operand) ([]Operand, error) {
	s := d.of.sizes(in[0].Shape, in[1].Shape, in[2].Shape)
	out := []Operand{{Shape: tensor.Shape{d.of.Cell.Gradients(), s.steps, s.batch, s.hidden}, DType: in[0].DType}}
	_, _, hr, h, c := d.of.named()
	for _, at := range []int{hr, h, c} {
		if at >= 0 {
			out = append(out, in[at])
		}
	}
	return out, nil
}

func (d recurrentGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runRecurrentGradient[float32](d.of, in, out) },
		func() error { return runRecurrentGradient[float64](d.of, in, out) })
}

func runRecurrentGradient[T kernel.Float](d recurrent, in, out []*Array) error {
	r, s := bound[T](d, in)
	g := kernel.RecurrentGradient[T]{Gates: Slice[T](out[0])}
	_, _, hr, h, c := d.named()
	rest := out[1:]
	for _, one := range []struct {
		at int
		to *[]T
	}{{hr, &g.WeightHR}, {h, &g.Initial}, {c, &g.Cell}} {
		if one.at >= 0 {
			*one.to, rest = Slice[T](rest[0]), rest[1:]
		}
	}
	inputs := len(in) - 2
	var kept []T
	if d.kept(s) > 0 {
		inputs--
		kept = Slice[T](in[inputs+2])
	}
	n := s.steps * s.batch * s.output
	y, dy := Slice[T](in[inputs]), Slice[T](in[inputs+1])
	r.Backward(g, dy[:n], dy[n:], y[:n], kept)
	return nil
}

// recurrentInputGradient is dx from the gates' gradients; its other inputs are x, which gives only its shape, and the
// weights.
type recurrentInputGradient struct {
	noGradient
	of recurrent
}

func (d recurrentInputGradient) Name() string { return d.of.Name() + "_input_grad" }

func (recurrentInputGradient) Infer(in []Operand) ([]Operand, error) { return in[1:2:2], nil }

func (d recurrentInputGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runRecurrentInputGradient[float32](d.of, in, out) },
		func() error { return runRecurrentInputGradient[float64](d.of, in, out) })
}

func runRecurrentInputGradient[T kernel.Float](d recurrent, in, out []*Array) error {
	r := recurrentOf[T](d, d.sizes(in[1].Shape, in[2].Shape, in[3].Shape))
	r.WeightIH = Slice[T](in[2])
	r.InputGradient(Slice[T](out[0]), Slice[T](in[0]))
	return nil
}

// recurrentWeightGradient is the gradients of the weights and biases from those of the gates, the operation's output, x,
// the weights, which give only their shapes, and the initial h if there is one.
type recurrentWeightGradient struct {
	noGradient
	of recurrent
}

func (d recurrentWeightGradient) Name() string { return d.of.Name() + "_weight_grad" }

func (d recurrentWeightGradient) Infer(in []Operand) ([]Operand, error) {
	out := []Operand{in[3], in[4]}
	if d.of.Bias {
		bias := Operand{Shape: in[3].Shape[:1], DType: in[3].DType}
		out = append(out, bias, bias)
	}
	return out, nil
}

func (d recurrentWeightGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { return runRecurrentWeightGradient[float32](d.of, in, out) },
		func() error { return runRecurrentWeightGradient[float64](d.of, in, out) })
}

func runRecurrentWeightGradient[T kernel.Float](d recurrent, in, out []*Array) error {
	s := d.sizes(in[2].Shape, in[3].Shape, in[4].Shape)
	r := recurrentOf[T](d, s)
	if len(in) > 5 {
		r.Initial = Slice[T](in[5])
	}
	var biasIH, biasHH []T
	if d.Bias {
		biasIH, biasHH = Slice[T](out[2]), Slice[T](out[3])
	}
	r.WeightGradients(Slice[T](out[0]), Slice[T](out[1]), biasIH, biasHH, Slice[T](in[2]), Slice[T](in[1])[:s.steps*s.batch*s.output], Slice[T](in[0]))
	return nil
}
