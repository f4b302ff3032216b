// Package safetensors reads and writes the safetensors format: a JSON header of names, dtypes, shapes and places, then
// the tensors' bytes. See https://github.com/huggingface/safetensors.
package safetensors

import (
	"fmt"
	"slices"
)

// Tensor is one entry of a file.
type Tensor struct {
	Name  string
	DType string // "F32", "F64", "I64", "BOOL", …
	Shape []int
	Data  []byte // little-endian, row-major
}

// File is what a safetensors file holds.
type File struct {
	Metadata map[string]string
	Tensors  []Tensor
}

// Tensor looks an entry up by its name.
func (f *File) Tensor(name string) (*Tensor, bool) {
	for i := range f.Tensors {
		if f.Tensors[i].Name == name {
			return &f.Tensors[i], true
		}
	}
	return nil, false
}

// FormatError says what is wrong with a file.
type FormatError struct {
	Path    string // "" where it is not known
	Problem string
}

func (e *FormatError) Error() string {
	if e.Path == "" {
		return "safetensors: " + e.Problem
	}
	return e.Path + ": " + e.Problem
}

func malformed(format string, args ...any) error {
	return &FormatError{Problem: fmt.Sprintf(format, args...)}
}

// widths are the bytes of one element by dtype.
var widths = map[string]int{
	"BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
	"I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8, "C64": 8,
}

// byteSize is what a tensor of the shape takes; ok is false where it overflows or the dtype isn't known.
func byteSize(dtype string, shape []int) (n int, ok bool) {
	n, ok = widths[dtype]
	if !ok {
		return 0, false
	}
	if slices.Contains(shape, 0) {
		return 0, true
	}
	const limit = 1 << 62
	for _, d := range shape {
		if d < 0 || n > limit/d {
			return 0, false
		}
		n *= d
	}
	return n, true
}
