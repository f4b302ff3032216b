package ops

import (
	"fmt"
	"strings"
)

// ShapeError says that an input has a shape which an operation can't take.
type ShapeError struct {
	What string // which input: "input", "weight", "target"
	Got  []int
	Want []int  // negative: any size
	Note string // what Want can't say
}

func (e *ShapeError) Error() string {
	s := fmt.Sprintf("%s %s", e.What, ShapeString(e.Got))
	switch {
	case e.Want != nil && e.Note != "":
		return s + ", want " + ShapeString(e.Want) + " " + e.Note
	case e.Want != nil:
		return s + ", want " + ShapeString(e.Want)
	}
	return s + ", want " + e.Note
}

// DTypeError says that an input has a dtype which an operation can't take.
type DTypeError struct{ What, Got, Want string }

func (e *DTypeError) Error() string { return fmt.Sprintf("%s is %s, want %s", e.What, e.Got, e.Want) }

// DimError says that a dim is outside the input's: PyTorch's "Dimension out of range".
type DimError struct{ Dim, Rank int }

func (e *DimError) Error() string {
	r := max(e.Rank, 1)
	return fmt.Sprintf("dim %d out of range, want %d to %d", e.Dim, -r, r-1)
}

// ValueError says that an argument has a value that is refused: a negative size, a NaN learning rate, a nil tensor.
type ValueError struct{ What, Got, Want string }

func (e *ValueError) Error() string { return fmt.Sprintf("%s is %s, want %s", e.What, e.Got, e.Want) }

// IndexError says that an index found in the data, a class label say, is out of range.
type IndexError struct {
	What  string
	Index int64
	At    int // where it stands
	Size  int // valid are 0 to Size-1
}

func (e *IndexError) Error() string {
	return fmt.Sprintf("%s %d at position %d out of range, want 0 to %d", e.What, e.Index, e.At, e.Size-1)
}

// GradientError says that an operation has no gradient for an input that wants one.
type GradientError struct {
	Op    string
	Input int
}

func (e *GradientError) Error() string {
	return fmt.Sprintf("%s has no gradient for its input %d", e.Op, e.Input)
}

// dim resolves a negative dim as PyTorch does. A scalar counts as one-dimensional.
func dim(d, rank int) (int, error) {
	r := max(rank, 1)
	if d < -r || d >= r {
		return 0, &DimError{Dim: d, Rank: rank}
	}
	if d < 0 {
		d += r
	}
	return d, nil
}

// split views a shape around dim d as (outer, n, inner).
func split(shape []int, d int) (outer, n, inner int) {
	if len(shape) == 0 {
		return 1, 1, 1
	}
	return size(shape[:d]), shape[d], size(shape[d+1:])
}

// KernelError says which operations have no kernel for a device.
type KernelError struct {
	Device     string
	Operations []string
}

func (e *KernelError) Error() string {
	return fmt.Sprintf("no kernel on %s for %s", e.Device, strings.Join(e.Operations, ", "))
}
