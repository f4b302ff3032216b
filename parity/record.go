package parity

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/safetensors"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
)

// Record is a file of what PyTorch did.
type Record struct {
	Path string
	Code string // the Python expression
	Spec Spec
	file *safetensors.File
}

// Call names a class or a function and its arguments.
type Call struct {
	Type string                     `json:"type"`
	Name string                     `json:"name"`
	Args map[string]json.RawMessage `json:"args"`
}

// Spec is the record's description; which fields are there depends on the kind.
type Spec struct {
	Kind         string                       `json:"kind"`
	DType        string                       `json:"dtype"`
	Mode         string                       `json:"mode"`
	Seed         *uint64                      `json:"seed"`
	Modules      []layers.Module              `json:"modules"`
	Loss         *Call                        `json:"loss"`
	Function     *Call                        `json:"function"`
	Optimizer    *Call                        `json:"optimizer"`
	Scheduler    *Call                        `json:"scheduler"`
	Init         *Call                        `json:"init"`
	Random       *Call                        `json:"random"`
	Groups       []Group                      `json:"groups"`
	Average      *Average                     `json:"average"`
	ParamGroups  []map[string]json.RawMessage `json:"param_groups"`
	Steps        int                          `json:"steps"`
	Forward      map[string]json.RawMessage   `json:"forward"`
	NestedInputs bool                         `json:"nested_inputs"`
	RTol         *float64                     `json:"rtol"`
	ATol         *float64                     `json:"atol"`
}

// Group is a parameter group of an optimizer.
type Group struct {
	Params []string                   `json:"params"`
	Args   map[string]json.RawMessage `json:"args"`
}

// Average says how the parameters of a training were averaged.
type Average struct {
	Decay      *float64 `json:"decay"` // nil for equal weights
	UseBuffers bool     `json:"use_buffers"`
}

// SpecError says that a file is no record.
type SpecError struct{ Path, Problem string }

func (e *SpecError) Error() string { return e.Path + ": " + e.Problem }

// Open reads a record.
func Open(path string) (*Record, error) {
	f, err := safetensors.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if v := f.Metadata["record"]; v != "1" {
		return nil, &SpecError{path, fmt.Sprintf("record version %q, want \"1\"", v)}
	}
	r := &Record{Path: path, Code: f.Metadata["code"], file: f}
	if err := json.Unmarshal([]byte(f.Metadata["spec"]), &r.Spec); err != nil {
		return nil, &SpecError{path, "spec: " + err.Error()}
	}
	return r, nil
}

// tensor gives a tensor of the record as an input.
func (r *Record) tensor(name string) (*graph.Expr, error) {
	t, ok := r.file.Tensor(name)
	if !ok {
		return nil, &SpecError{r.Path, "no tensor " + name}
	}
	return expr(t)
}

func (r *Record) has(name string) bool {
	_, ok := r.file.Tensor(name)
	return ok
}

// under gives the tensors whose names begin with a prefix, by the rest of their names.
func (r *Record) under(prefix string) (map[string]*graph.Expr, error) {
	found := map[string]*graph.Expr{}
	for i := range r.file.Tensors {
		t := &r.file.Tensors[i]
		name, ok := strings.CutPrefix(t.Name, prefix)
		if !ok {
			continue
		}
		var err error
		if found[name], err = expr(t); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// UnsupportedError says which class, function or feature of a record the library lacks.
type UnsupportedError struct{ Type string }

func (e *UnsupportedError) Error() string { return "unsupported: " + e.Type }

func expr(t *safetensors.Tensor) (*graph.Expr, error) {
	if v, ok := t.Float64s(); ok {
		return moved(graph.FromArray(ops.ArrayOf(v, t.Shape))), nil
	}
	if v, ok := t.Float32s(); ok && t.DType == "F32" {
		return moved(graph.FromArray(ops.ArrayOf(v, t.Shape))), nil
	}
	if v, ok := t.Int64s(); ok {
		return moved(graph.FromArray(ops.ArrayOf(v, t.Shape))), nil
	}
	if v, ok := t.Bools(); ok {
		return moved(graph.FromArray(ops.ArrayOf(v, t.Shape))), nil
	}
	return nil, &UnsupportedError{"dtype " + t.DType}
}
