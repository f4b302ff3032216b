package parity

import (
	"encoding/json"
	"fmt"
	"strings"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

// call is the arguments of a function while it is applied. Each method reads one, the first mistake staying in err.
type call struct {
	scope   *graph.Scope
	args    map[string]json.RawMessage // those that were not read yet
	tensors map[string]node
	values  map[string]*graph.Expr // of the tensors
	further []node                 // results behind the first
	err     error
}

// x is a tensor, nil for None.
func (c *call) x(name string) node { return c.tensors[name] }

// input is the tensor that every function has.
func (c *call) input() node {
	x := c.tensors["input"]
	if x == nil && c.err == nil {
		c.err = &spec.ArgumentError{Argument: "input", Problem: "missing"}
	}
	return x
}

// read gives an argument, or what it is where it isn't given or None.
func read[T any](c *call, name string, normal T) T {
	text, ok := c.args[name]
	delete(c.args, name)
	if !ok || string(text) == "null" {
		return normal
	}
	var v T
	if err := json.Unmarshal(text, &v); err != nil && c.err == nil {
		c.err = &spec.ArgumentError{Argument: name, Problem: fmt.Sprintf("%s: %v", text, err)}
	}
	return v
}

func (c *call) flag(name string, normal bool) bool     { return read(c, name, normal) }
func (c *call) int(name string, normal int) int        { return read(c, name, normal) }
func (c *call) word(name string, normal string) string { return read(c, name, normal) }

// float reads "inf" too.
func (c *call) float(name string, normal float64) float64 {
	text := read[json.RawMessage](c, name, nil)
	if text == nil {
		return normal
	}
	f, err := spec.Float(text)
	if err != nil && c.err == nil {
		c.err = &spec.ArgumentError{Argument: name, Problem: err.Error()}
	}
	return f
}

// list reads one number or several; none is nil.
func (c *call) list(name string) []int { return few[int](c, name) }

// floats reads one number or several; none is nil.
func (c *call) floats(name string) []float64 { return few[float64](c, name) }

func few[T int | float64](c *call, name string) []T {
	if text := c.args[name]; len(text) > 0 && text[0] != '[' && string(text) != "null" {
		return []T{read(c, name, T(0))}
	}
	return read[[]T](c, name, nil)
}

// spatial reads one number for all dims of the rank, or one for each; None in a list is [ops.InputSize].
func (c *call) spatial(name string, rank int, normal ...int) (s ops.Spatial) {
	e := read(c, name, spec.ExtentOf(normal...))
	if !e.Set() {
		return s
	}
	list, err := e.Spread(name, rank)
	if err != nil && c.err == nil {
		c.err = err
	}
	copy(s[3-rank:], list)
	return s
}

// over is a list of one number for each dim.
func over[T any](list []T, rank int) []T {
	for len(list) == 1 && rank > 1 {
		list = append(list, make([]T, rank-1)...)
		for i := range list {
			list[i] = list[0]
		}
	}
	return list
}

// reduction reads a loss's, also by the older names.
func (c *call) reduction() ops.Reduction {
	r := read(c, "reduction", ops.ReductionMean)
	mean, reduce := read[*bool](c, "size_average", nil), read[*bool](c, "reduce", nil)
	switch {
	case mean == nil && reduce == nil:
		return r
	case reduce != nil && !*reduce:
		return ops.ReductionNone
	case mean != nil && !*mean:
		return ops.ReductionSum
	}
	return ops.ReductionMean
}

// dims is how many dims of space the input has.
func (c *call) dims() int {
	if x := c.input(); x != nil {
		return len(x.Shape()) - 2
	}
	return 0
}

// cast reads PyTorch's dtype: that to which an input is converted beforehand.
func (c *call) cast(x node) node {
	dtype, ok := map[string]tensor.Dtype{"float32": tensor.Float32, "float64": tensor.Float64}[strings.TrimPrefix(c.word("dtype", ""), "torch.")]
	if !ok || x == nil {
		return x
	}
	y, err := ops.Cast(x, dtype)
	if err != nil && c.err == nil {
		c.err = err
	}
	return y
}

// draw is random numbers for a function in training, else nil.
func (c *call) draw(training bool) node {
	if !training {
		return nil
	}
	return c.scope.Random()
}

// withIndices adds the second result of a pool where it is wanted.
func (c *call) withIndices(y node, err error) (node, error) {
	if err != nil || !c.flag("return_indices", false) {
		return y, err
	}
	indices, err := ops.Result(y, 1)
	c.further = append(c.further, indices)
	return y, err
}

// tensorOf is an argument that stands for a tensor: None, a reference, a number or a list of integers.
func (r *Record) tensorOf(text json.RawMessage) (*graph.Expr, error) {
	var reference struct{ Tensor string }
	if json.Unmarshal(text, &reference) == nil && reference.Tensor != "" {
		return r.tensor(reference.Tensor)
	}
	var integers []int64
	var number float64
	switch {
	case string(text) == "null":
		return nil, nil //nolint:nilnil // None
	case json.Unmarshal(text, &integers) == nil:
		return moved(graph.FromArray(ops.ArrayOf(integers, []int{len(integers)}))), nil
	case json.Unmarshal(text, &number) != nil:
		return nil, &SpecError{r.Path, fmt.Sprintf("%s is no tensor", text)}
	}
	dtype, err := r.dtype()
	if err != nil {
		return nil, err
	}
	if dtype == tensor.Float64 {
		return moved(graph.FromArray(ops.ArrayOf([]float64{number}, nil))), nil
	}
	return moved(graph.FromArray(ops.ArrayOf([]float32{float32(number)}, nil))), nil
}
