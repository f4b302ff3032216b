// Package safetensors reads and writes the safetensors format
// (https://huggingface.co/docs/safetensors): the length of the header in 8
// little-endian bytes, a JSON header with the dtype, shape and place of each
// tensor, and their bytes, row-major and little-endian.
//
// Files written are byte for byte those of the reference implementation,
// version 0.8, except that the metadata's keys are sorted too. Files that it
// refuses are refused, and so are a name that occurs twice and a tensor or a
// metadata entry that it accepts only by the leniency of its JSON library.
//
// A File and a Tensor are plain data: concurrent reads are safe, a write is
// not safe beside any other use.
package safetensors

import (
	"fmt"
	"slices"
)

const (
	maxHeader   = 100_000_000 // the reference implementation's limit, in bytes
	lengthSize  = 8
	metadataKey = "__metadata__"
)

// File is the content of a safetensors file.
type File struct {
	// Metadata is the free text under "__metadata__"; nil if there is none.
	Metadata map[string]string
	// Tensors are in the order of their bytes in the file.
	Tensors []Tensor
}

// Tensor returns the tensor with this name. It looks at one after the other.
func (f *File) Tensor(name string) (*Tensor, bool) {
	i := slices.IndexFunc(f.Tensors, func(t Tensor) bool { return t.Name == name })
	if i < 0 {
		return nil, false
	}
	return &f.Tensors[i], true
}

// Tensor is a named tensor as it stands in the file.
type Tensor struct {
	Name  string
	DType string // as in the file: "F32", "BF16", "I64", "BOOL"…
	Shape []int  // empty for a scalar
	Data  []byte // row-major, little-endian
}

// FormatError says what is wrong with a file, or with a File to be written.
type FormatError struct {
	Path  string // the file, empty if it has no known path
	Place string // "header", `tensor "0.weight"`…
	Err   error
}

// Error returns "safetensors: path: place: reason".
func (e *FormatError) Error() string {
	text := "safetensors: "
	if e.Path != "" {
		text += e.Path + ": "
	}
	return text + e.Place + ": " + e.Err.Error()
}

// Unwrap returns the reason: io.ErrUnexpectedEOF if bytes are missing.
func (e *FormatError) Unwrap() error { return e.Err }

func formatErrorf(place, format string, args ...any) *FormatError {
	return &FormatError{Place: place, Err: fmt.Errorf(format, args...)}
}

func tensorPlace(name string) string { return fmt.Sprintf("tensor %q", name) }
