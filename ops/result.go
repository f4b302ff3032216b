package ops

import "gorgonia.org/gorgonia"

// Result reads another output of the operation that made n: what it computed beside its value. The node n stays the
// producer; the result costs nothing, it is the producer's own memory.
func Result(n *gorgonia.Node, index int) (*gorgonia.Node, error) {
	producer := Of(n)
	if producer == nil || index < 0 || index >= len(producer.Out) {
		panic("BUG: no such result")
	}
	return Apply(result{Producer: producer.Name(), Index: index, shape: producer.Out[index], of: producer}, n)
}

type result struct {
	noGradient
	Producer string
	Index    int
	shape    Operand
	of       *Op
}

// ResultOf gives the producing node and the index of the output that a node made by [Result] reads.
func ResultOf(n *gorgonia.Node) (producer *gorgonia.Node, index int, ok bool) {
	op := Of(n)
	if op == nil {
		return nil, 0, false
	}
	r, ok := op.Definition.(result)
	if !ok {
		return nil, 0, false
	}
	return Inputs(n)[0], r.Index, true
}

func (r result) Name() string { return "result" }

func (r result) String() string { return r.Producer + "." + string(rune('0'+r.Index)) }

func (r result) Infer([]Operand) ([]Operand, error) { return []Operand{r.shape}, nil }

// Run is for stock machines, where the producer ran as an instruction of its own.
func (r result) Run(_, out []*Array) error {
	out[0].CopyFrom(r.of.outs[r.Index])
	return nil
}
