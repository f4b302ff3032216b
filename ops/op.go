package ops

import (
	"fmt"
	"hash"
	"hash/fnv"
	"sync/atomic"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Definition is one operation: what it is, not where it stands in a graph. Its dynamic type is a struct of plain values
// which, printed whole, is the operation's identity: two definitions that print alike are the same operation.
type Definition interface {
	// Name is the operation's name, PyTorch's where there is one: "linear", "softmax".
	Name() string
	// Infer checks the inputs and says what comes out: the result first, then whatever the operation keeps for its
	// gradient (masks, gradients computed along the way). It gives a typed error where the inputs don't fit.
	Infer(in []Operand) (out []Operand, err error)
	// Run computes all outputs. Outputs are not cleared beforehand and never overlap inputs.
	Run(in, out []*Array) error
	// Gradient gives the gradient with respect to each input, nil where there is none, from the output node and the
	// gradient that came in for it. [Result] reads what Run kept.
	Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error)
	// Differentiable says which inputs Gradient serves.
	Differentiable(in []Operand) []bool
}

// Fusable is a definition whose store may apply an activation, one whose gradient its output alone gives; ok is false where it
// applies one already.
type Fusable interface {
	Definition
	Fused(a Activation) (fused Definition, ok bool)
}

// Selective is a definition that can leave out outputs that nobody reads: such an array is nil when Run is called, where a
// machine knows.
type Selective interface {
	Definition
	// Optional says whether an output may be left out.
	Optional(output int) bool
}

// Op is a definition applied to inputs of known shapes: the gorgonia.Op that stands in a graph. It owns the memory of
// its outputs, made when it first runs; an Op is not for concurrent use.
type Op struct {
	Definition
	In, Out []Operand

	// Place says where in a model the operation stands, for errors; two that differ in nothing else are the same.
	Place Place

	salt  int
	outs  []*Array
	ins   []*Array
	value gorgonia.Value
}

// Place is a layer in a model.
type Place struct{ Path, Layer string }

var (
	_ gorgonia.SDOp = (*Op)(nil)

	salts atomic.Int64
)

// Apply applies a definition to nodes of one graph. Applying the same definition to the same nodes twice gives the
// same node.
func Apply(d Definition, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	op := &Op{Definition: d, In: make([]Operand, len(in))}
	for i, n := range in {
		if n == nil {
			return nil, &ValueError{What: fmt.Sprintf("%s: input %d", d.Name(), i), Got: "nil", Want: "a node"}
		}
		op.In[i] = operandOf(n)
	}
	var err error
	if op.Out, err = d.Infer(op.In); err != nil {
		return nil, err
	}
	for _, o := range op.Out {
		if err := o.Check("output"); err != nil {
			return nil, err
		}
	}
	n, err := gorgonia.ApplyOp(op, in...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name(), err)
	}
	// Gorgonia tells nodes apart by 32 bits of hash: a collision would silently give another node's value.
	for i, child := range Inputs(n) {
		if child != in[i] {
			op.salt = int(salts.Add(1))
			if n, err = gorgonia.ApplyOp(op, in...); err != nil {
				return nil, fmt.Errorf("%s: %w", d.Name(), err)
			}
			break
		}
	}
	return n, nil
}

// Of gives the operation that made a node, or nil where it is an input or not ours.
func Of(n *gorgonia.Node) *Op {
	op, _ := n.Op().(*Op)
	return op
}

// Inputs gives the nodes that a node was made from, in order.
func Inputs(n *gorgonia.Node) gorgonia.Nodes {
	if n.Op() == nil {
		return nil
	}
	it := n.Graph().From(n.ID())
	in := make(gorgonia.Nodes, 0, it.Len())
	for it.Next() {
		in = append(in, it.Node().(*gorgonia.Node))
	}
	return in
}

// Arity is the number of inputs.
func (op *Op) Arity() int { return len(op.In) }

// Type is concrete, since an Op is made for known inputs.
func (op *Op) Type() hm.Type {
	types := make([]hm.Type, 0, len(op.In)+1)
	for _, o := range op.In {
		types = append(types, typeOf(o))
	}
	return hm.NewFnType(append(types, typeOf(op.Out[0]))...)
}

func typeOf(o Operand) hm.Type {
	if len(o.Shape) == 0 {
		return o.DType
	}
	return gorgonia.TensorType{Dims: len(o.Shape), Of: o.DType}
}

// InferShape is the shape that Infer found.
func (op *Op) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) { return op.Out[0].Shape, nil }

// ReturnsPtr is true: the value is the op's own memory.
func (op *Op) ReturnsPtr() bool { return true }

// CallsExtern is false.
func (op *Op) CallsExtern() bool { return false }

// OverwritesInput is -1: inputs are only read.
func (op *Op) OverwritesInput() int { return -1 }

// WriteHash covers every attribute, every operand and nothing else.
func (op *Op) WriteHash(h hash.Hash) {
	_, _ = fmt.Fprintf(h, "%#v%v%d", op.Definition, op.In, op.salt) // %#v heeds no String method
}

// Hashcode is WriteHash in 32 bits.
func (op *Op) Hashcode() uint32 {
	h := fnv.New32a()
	op.WriteHash(h)
	return h.Sum32()
}

// String is the name with its attributes.
func (op *Op) String() string {
	if s, ok := op.Definition.(fmt.Stringer); ok {
		return s.String()
	}
	return op.Name()
}

// DiffWRT says which inputs have a gradient.
func (op *Op) DiffWRT(int) []bool { return op.Differentiable(op.In) }

// SymDiff builds the gradient's nodes.
func (op *Op) SymDiff(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return op.Gradient(in, out, grad)
}

// Do runs the operation on a stock TapeMachine, into the op's own memory.
func (op *Op) Do(values ...gorgonia.Value) (gorgonia.Value, error) {
	if len(values) != len(op.In) {
		return nil, &ValueError{What: op.Name() + ": inputs", Got: fmt.Sprint(len(values)), Want: fmt.Sprint(len(op.In))}
	}
	if op.outs == nil {
		op.allocate()
	}
	for i, v := range values {
		a, err := ArrayOfValue(v)
		if err != nil {
			return nil, fmt.Errorf("%s: input %d: %w", op.Name(), i, err)
		}
		if a.DType != op.In[i].DType || a.Len != op.In[i].Size() {
			got := Operand{Shape: v.Shape(), DType: a.DType}
			return nil, &ValueError{What: fmt.Sprintf("%s: input %d", op.Name(), i), Got: got.String(), Want: op.In[i].String()}
		}
		*op.ins[i] = a
	}
	if err := op.Run(op.ins, op.outs); err != nil {
		return nil, err
	}
	return op.value, nil
}

func (op *Op) allocate() {
	for _, o := range op.Out {
		a := NewArray(o)
		op.outs = append(op.outs, &a)
	}
	for range op.In {
		op.ins = append(op.ins, &Array{})
	}
	op.value = ValueOf(*op.outs[0])
}

// ValueOf makes a Gorgonia value that shares an array's memory: a tensor, or Gorgonia's scalar type for rank 0.
func ValueOf(a Array) gorgonia.Value {
	if len(a.Shape) > 0 {
		return DenseOf(a)
	}
	switch a.DType {
	case tensor.Float32:
		return (*gorgonia.F32)(a.Data)
	case tensor.Float64:
		return (*gorgonia.F64)(a.Data)
	case tensor.Int64:
		return (*gorgonia.I64)(a.Data)
	}
	return (*gorgonia.B)(a.Data)
}

// DenseOf makes a dense tensor that shares an array's memory, also for rank 0 and for empty shapes.
func DenseOf(a Array) *tensor.Dense {
	shape := tensor.Shape(a.Shape).Clone()
	if a.Len == 0 {
		return tensor.New(tensor.Of(a.DType), tensor.WithShape(shape...))
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(backing(a)))
}

func backing(a Array) any {
	switch a.DType {
	case tensor.Float32:
		return Slice[float32](&a)
	case tensor.Float64:
		return Slice[float64](&a)
	case tensor.Int64:
		return Slice[int64](&a)
	}
	return Slice[bool](&a)
}
