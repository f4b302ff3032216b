package format_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/internal/format"
)

// records is what testdata/record.py printed with PyTorch 2.15.
type records struct {
	Tensors []struct {
		Shape        []int
		DType        string
		Data         []byte // base64 in JSON
		RequiresGrad bool   `json:"requires_grad"`
		GradFn       string `json:"grad_fn"`
		Options      struct {
			Precision, EdgeItems, Threshold, LineWidth *int
			SciMode                                    *bool `json:"sci_mode"`
		}
		Text string
	}
	Floats  []struct{ Bits, Text string }
	Strings []struct{ Value, Text string }
	Tuples  []struct {
		Value []int
		Text  string
	}
}

func load(t *testing.T) records {
	t.Helper()
	text, err := os.ReadFile("testdata/records.json")
	require.NoError(t, err)
	var r records
	require.NoError(t, json.Unmarshal(text, &r))
	return r
}

// option turns a recorded setting into ours, where 0 is the default and a
// negative number is 0.
func option(v *int) int {
	switch {
	case v == nil:
		return 0
	case *v == 0:
		return -1
	}
	return *v
}

func decode[T any](t *testing.T, raw []byte) []T {
	t.Helper()
	v := make([]T, len(raw)/binary.Size(*new(T)))
	_, err := binary.Decode(raw, binary.LittleEndian, v)
	require.NoError(t, err)
	return v
}

func TestTensorPrintsAsPyTorch(t *testing.T) {
	decoders := map[string]func(raw []byte) any{
		"float32": func(raw []byte) any { return decode[float32](t, raw) },
		"float64": func(raw []byte) any { return decode[float64](t, raw) },
		"int64":   func(raw []byte) any { return decode[int64](t, raw) },
		"int32":   func(raw []byte) any { return decode[int32](t, raw) },
		"int16":   func(raw []byte) any { return decode[int16](t, raw) },
		"int8":    func(raw []byte) any { return decode[int8](t, raw) },
		"uint8":   func(raw []byte) any { return decode[uint8](t, raw) },
		"bool":    func(raw []byte) any { return decode[bool](t, raw) },
	}
	tensors := load(t).Tensors
	require.Greater(t, len(tensors), 500)
	for i, r := range tensors {
		got := format.Tensor(r.Shape, decoders[r.DType](r.Data), format.Options{
			Precision:    option(r.Options.Precision),
			EdgeItems:    option(r.Options.EdgeItems),
			Threshold:    option(r.Options.Threshold),
			LineWidth:    option(r.Options.LineWidth),
			SciMode:      r.Options.SciMode,
			RequiresGrad: r.RequiresGrad,
			GradFn:       r.GradFn,
		})
		require.Equal(t, r.Text, got, "record %d: %s %v", i, r.DType, r.Shape)
	}
}

func TestFloatPrintsAsPython(t *testing.T) {
	for _, r := range load(t).Floats {
		raw, err := base64.StdEncoding.DecodeString(r.Bits)
		require.NoError(t, err)
		require.Equal(t, r.Text, format.Float(math.Float64frombits(binary.LittleEndian.Uint64(raw))))
	}
}

func TestValuePrintsAsPython(t *testing.T) {
	r := load(t)
	for _, s := range r.Strings {
		require.Equal(t, s.Text, format.Value(s.Value))
	}
	for _, s := range r.Tuples {
		require.Equal(t, s.Text, format.Value(s.Value))
	}
	type mode string
	var none *int
	one := 1
	for _, c := range []struct {
		value any
		want  string
	}{
		{nil, "None"},
		{none, "None"},
		{&one, "1"},
		{true, "True"},
		{false, "False"},
		{-3, "-3"},
		{uint64(math.MaxUint64), "18446744073709551615"},
		{float32(0.5), "0.5"},
		{1e-5, "1e-05"},
		{mode("none"), "'none'"},
		{[]string(nil), "()"},
		{[2]float64{0.9, 0.999}, "(0.9, 0.999)"},
		{[]any{1, nil, "a"}, "(1, None, 'a')"},
		{"\xff'", `"\udcff'"`},
		{3 + 4i, "(3+4i)"},
	} {
		require.Equal(t, c.want, format.Value(c.value))
	}
}

// A tensor whose parts do not fit says so; nothing panics.
func TestTensorWithBadInput(t *testing.T) {
	for _, c := range []struct {
		shape []int
		data  any
		want  string
	}{
		{[]int{2, 3}, []float32{1, 2}, "tensor(<2 elements, want 6 for size (2, 3)>)"},
		{[]int{2}, nil, "tensor(<0 elements, want 2 for size (2,)>)"},
		{[]int{-1}, []float32{1}, "tensor(<invalid size (-1,)>)"},
		{[]int{math.MaxInt, 3}, []float32{1}, fmt.Sprintf("tensor(<invalid size (%d, 3)>)", math.MaxInt)},
		{[]int{1}, []string{"a"}, "tensor(<no dtype for []string>)"},
	} {
		require.Equal(t, c.want, format.Tensor(c.shape, c.data, format.Options{}))
	}
}

// nil is PyTorch's torch.empty(0, 3), and int is PyTorch's int64.
func TestTensorOfOtherGoTypes(t *testing.T) {
	require.Equal(t, "tensor([], size=(0, 3))", format.Tensor([]int{0, 3}, nil, format.Options{}))
	require.Equal(t, "tensor([1, 2])", format.Tensor([]int{2}, []int{1, 2}, format.Options{}))
}

// Indented text is the plain text with its lines moved to the right.
func TestTensorIndent(t *testing.T) {
	opts := format.Options{Indent: 4, RequiresGrad: true}
	require.Equal(t, "tensor([[1., 2.],\n            [3., 4.]], requires_grad=True)",
		format.Tensor([]int{2, 2}, []float32{1, 2, 3, 4}, opts))

	// The indent counts against the line width.
	opts = format.Options{Indent: 60, RequiresGrad: true}
	require.Equal(t, "tensor([1.],\n"+fmt.Sprintf("%67s", "")+"requires_grad=True)",
		format.Tensor([]int{1}, []float32{1}, opts))
}

func ExampleTensor() {
	fmt.Println(format.Tensor([]int{2, 2}, []float32{0.25, 0.75, 1, 0}, format.Options{GradFn: "SoftmaxBackward0"}))
	// Output:
	// tensor([[0.2500, 0.7500],
	//         [1.0000, 0.0000]], grad_fn=<SoftmaxBackward0>)
}

func ExampleParameter() {
	fmt.Println(format.Parameter([]int{2}, []float32{1, 1}, format.Options{RequiresGrad: true}))
	// Output:
	// Parameter containing:
	// tensor([1., 1.], requires_grad=True)
}

func ExampleFloat() {
	fmt.Println(format.Float(1), format.Float(0.1), format.Float(1e-5))
	// Output: 1.0 0.1 1e-05
}

func ExampleValue() {
	fmt.Println(format.Value([]int{2}), format.Value("none"), format.Value(true), format.Value(nil))
	// Output: (2,) 'none' True None
}
