package sequential

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/safetensors"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

// Metadata keys of a model's file.
const (
	architectureKey = "architecture" // the layers, as JSON in PyTorch's words
	formatKey       = "format"       // "pt", which Hugging Face's readers look for
	dtypeKey        = "dtype"
)

// Save writes the model to one safetensors file, whole or not at all: the parameters under PyTorch's names, and the
// layers in the metadata. PyTorch and Hugging Face's safetensors open it; [Load] needs nothing else. A [layers.Func] or
// a type that isn't registered can't be saved.
func (m *Model) Save(path string) error { return m.save(path, nil) }

// save writes the model and further metadata.
func (m *Model) save(path string, more map[string]string) error {
	f, err := m.file()
	if err == nil {
		maps.Copy(f.Metadata, more)
		err = safetensors.WriteFile(path, f)
	}
	if err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	return nil
}

func (m *Model) file() (*safetensors.File, error) {
	if m.err != nil {
		return nil, m.err
	}
	modules, err := layers.ToModules(m.container.Entries())
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(modules)
	if err != nil {
		return nil, err
	}
	f := &safetensors.File{Metadata: map[string]string{
		architectureKey: string(text), formatKey: "pt", dtypeKey: m.DType().String(),
	}}
	for _, p := range m.state {
		f.Tensors = append(f.Tensors, entryOf(p.Name(), p.Data()))
	}
	return f, nil
}

func entryOf(name string, a *ops.Array) safetensors.Tensor {
	switch a.DType {
	case tensor.Float64:
		return safetensors.F64(name, a.Shape, ops.Slice[float64](a))
	case tensor.Int64:
		return safetensors.I64(name, a.Shape, ops.Slice[int64](a))
	}
	return safetensors.F32(name, a.Shape, ops.Slice[float32](a))
}

// Load reads a model that [Model.Save] wrote. The model is in evaluation mode.
func Load(path string) (*Model, error) {
	f, err := safetensors.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	m, err := load(f)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	return m.Eval(), nil
}

// LoadBytes is [Load] of a file's contents, such as go:embed gives.
func LoadBytes(file []byte) (*Model, error) {
	f, err := safetensors.Read(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	m, err := load(f)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	return m.Eval(), nil
}

func load(f *safetensors.File) (*Model, error) {
	text, ok := f.Metadata[architectureKey]
	if !ok {
		return nil, fmt.Errorf("no %q in the metadata: make the model in code and use LoadWeights", architectureKey)
	}
	var modules []layers.Module
	if err := json.Unmarshal([]byte(text), &modules); err != nil {
		return nil, fmt.Errorf("%s: %w", architectureKey, err)
	}
	list, err := layers.FromModules(modules)
	if err != nil {
		return nil, err
	}
	if err := fitsFile(list, f); err != nil {
		return nil, err
	}
	dtype := tensor.Float32
	if f.Metadata[dtypeKey] == "float64" {
		dtype = tensor.Float64
	}
	m := NewFrom(random.New(0), dtype, list...)
	if m.err != nil {
		return nil, m.err
	}
	m.generator = random.Default()
	return m, m.loadFile(f)
}

// fitsFile refuses an architecture that wants more numbers than the file holds, before memory is made for them.
func fitsFile(list []layers.Layer, f *safetensors.File) error {
	held := 0
	for _, t := range f.Tensors {
		held += len(t.Data)
	}
	wanted := 0
	for _, s := range layers.Sequential(list...).Parameters() {
		n := ops.Operand{Shape: s.Shape}.Size()
		if n < 0 || n > held || wanted > held {
			return fmt.Errorf("the architecture's %s %s is more than the file holds", s.Name, ops.ShapeString(s.Shape))
		}
		wanted += n
	}
	return nil
}

// LoadWeights sets the parameters from a safetensors file of PyTorch's, or ours: strictly, as [Model.LoadStateDict].
func (m *Model) LoadWeights(path string) error {
	_, err := m.loadWeights(path)
	return err
}

// loadWeights gives the file's metadata too.
func (m *Model) loadWeights(path string) (map[string]string, error) {
	if m.err != nil {
		return nil, m.err
	}
	f, err := safetensors.ReadFile(path)
	if err == nil {
		err = m.loadFile(f)
	}
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	return f.Metadata, nil
}

func (m *Model) loadFile(f *safetensors.File) error {
	state := map[string]*graph.Expr{}
	for i := range f.Tensors {
		t := &f.Tensors[i]
		state[t.Name] = exprOf(t)
	}
	return m.LoadStateDict(state)
}

// exprOf makes an input of a file's entry; one of a dtype that parameters can't have fails when it is used.
func exprOf(t *safetensors.Tensor) *graph.Expr {
	if v, ok := t.Float64s(); ok {
		return graph.FromArray(ops.ArrayOf(v, t.Shape))
	}
	if v, ok := t.Float32s(); ok {
		return graph.FromArray(ops.ArrayOf(v, t.Shape))
	}
	if v, ok := t.Int64s(); ok {
		return graph.FromArray(ops.ArrayOf(v, t.Shape))
	}
	return graph.Failed(&ops.DTypeError{What: "entry", Got: t.DType, Want: "F32, F64, F16, BF16 or I64"})
}
