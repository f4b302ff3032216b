package graph

import (
	"fmt"
	"hash"
	"hash/fnv"
	"unsafe"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/ops"
)

// segment is one instruction of the tape: a run of our operations over fixed memory, in order. Its value is only a
// token that orders it before what comes next; its results are in the program's memory.
type segment struct {
	number int
	views  []part
	steps  []step
	inputs []*ops.Array // written from the instruction's inputs; nil for the tokens of earlier segments
	types  []hm.Type
	err    error // of the last run, without the machine's wrapping
	token  gorgonia.F32
}

// step is one operation with its memory.
type step struct {
	definition ops.Definition
	place      ops.Place
	in, out    []*ops.Array
	reads      []*ops.Array // the cells whose memory the inputs are parts of, where not the inputs themselves
	deferral   *Deferral    // of the first output, where that may be left
}

func (s *step) bases() []*ops.Array {
	if s.reads != nil {
		return s.reads
	}
	return s.in
}

// part is a cell that is a part of another's memory, from an element on. Where an input's or a gradient's memory lies
// changes from run to run.
type part struct {
	cell, base *ops.Array
	from       int
}

func (v part) aim() {
	if v.base.Data != nil && v.cell.Len > 0 { // an empty part may lie beyond the memory's end, where there is no address
		v.cell.Data = unsafe.Add(v.base.Data, v.from*int(v.base.DType.Size()))
	}
}

func (s *segment) Arity() int { return len(s.inputs) }

func (s *segment) Type() hm.Type { return hm.NewFnType(append(s.types, tensor.Float32)...) }

func (s *segment) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.ScalarShape(), nil
}

func (s *segment) Do(values ...gorgonia.Value) (gorgonia.Value, error) {
	s.err = s.do(values)
	return &s.token, s.err
}

func (s *segment) do(values []gorgonia.Value) error {
	for i, v := range values {
		cell := s.inputs[i]
		if cell == nil {
			continue
		}
		a, err := ops.ArrayOfValue(v)
		if err != nil {
			return err
		}
		if a.Len != cell.Len || a.DType != cell.DType {
			return &ops.ShapeError{What: fmt.Sprintf("value %d", i), Got: a.Shape, Want: cell.Shape}
		}
		cell.Data = a.Data
	}
	return s.step()
}

// step runs the operations on what their memory holds.
func (s *segment) step() error {
	for _, v := range s.views {
		v.aim()
	}
	for i := range s.steps {
		st := &s.steps[i]
		if err := st.run(); err != nil {
			return st.locate(err)
		}
	}
	return nil
}

func (st *step) run() error {
	if st.deferral != nil && st.deferral.on {
		return st.deferral.run()
	}
	return st.definition.Run(st.in, st.out)
}

// locate says where an error came from: the layer, or else the operation.
func (st *step) locate(err error) error {
	if st.place == (ops.Place{}) {
		return fmt.Errorf("%s: %w", st.definition.Name(), err)
	}
	return &LayerError{Path: st.place.Path, Layer: st.place.Layer, Err: err}
}

func (s *segment) ReturnsPtr() bool     { return true }
func (s *segment) CallsExtern() bool    { return false }
func (s *segment) OverwritesInput() int { return -1 }

func (s *segment) WriteHash(h hash.Hash) { _, _ = fmt.Fprintf(h, "segment %d", s.number) }

func (s *segment) Hashcode() uint32 {
	h := fnv.New32a()
	s.WriteHash(h)
	return h.Sum32()
}

func (s *segment) String() string { return fmt.Sprintf("segment %d", s.number) }

// handover is an instruction that gives a foreign operation one of our values: a copy, for a stock operation may write
// over its inputs.
type handover struct {
	number int
	from   *ops.Array
	copied ops.Array
	value  gorgonia.Value
}

func newHandover(number int, from *ops.Array) *handover {
	h := &handover{number: number, from: from, copied: ops.NewArray(ops.Operand{Shape: from.Shape, DType: from.DType})}
	h.value = ops.ValueOf(h.copied)
	return h
}

func (h *handover) Arity() int { return 1 }

func (h *handover) Type() hm.Type {
	if len(h.from.Shape) == 0 {
		return hm.NewFnType(tensor.Float32, h.from.DType)
	}
	return hm.NewFnType(tensor.Float32, gorgonia.TensorType{Dims: len(h.from.Shape), Of: h.from.DType})
}

func (h *handover) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) { return h.from.Shape, nil }

func (h *handover) Do(...gorgonia.Value) (gorgonia.Value, error) {
	h.copied.CopyFrom(h.from)
	return h.value, nil
}

func (h *handover) ReturnsPtr() bool     { return true }
func (h *handover) CallsExtern() bool    { return false }
func (h *handover) OverwritesInput() int { return -1 }

func (h *handover) WriteHash(w hash.Hash) { _, _ = fmt.Fprintf(w, "handover %d", h.number) }

func (h *handover) Hashcode() uint32 {
	w := fnv.New32a()
	h.WriteHash(w)
	return w.Sum32()
}

func (h *handover) String() string { return fmt.Sprintf("handover %d", h.number) }
