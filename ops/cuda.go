//go:build gpu

package ops

import (
	"fmt"
	"unsafe"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/cuda"
)

// Launcher is a [Definition] that runs on a GPU too: one method in NAME_cuda.go beside the definition, the kernels' text in
// NAME.cu.
type Launcher interface {
	Definition
	// Launch adds what computes all outputs to the plan. It computes nothing: the plan runs later, and often.
	Launch(to *Launches, in, out []Remote) error
}

// Remote is an operand in a GPU's memory.
type Remote struct {
	Operand
	At *cuda.Place
}

// Launches is the plan that an operation adds its kernels to.
type Launches struct {
	*cuda.Plan
	// Status is where a kernel says what is wrong with its data: see fail in prelude.cu.
	Status *cuda.Place
	checks []func(position int64, value float64) error
}

// Check makes the number by which a kernel calls fail, and the error that comes of it.
func (l *Launches) Check(failure func(position int64, value float64) error) (number int) {
	l.checks = append(l.checks, failure)
	return len(l.checks)
}

// Checked says whether a run must be followed by a look at the status.
func (l *Launches) Checked() bool { return len(l.checks) > 0 }

// Failure is the error that a status means.
func (l *Launches) Failure(s Status) error {
	if s.Number == 0 {
		return nil
	}
	return l.checks[s.Number-1](s.Position, s.Value)
}

// Status is what a kernel's fail leaves: Status of prelude.cu.
type Status struct {
	Number   int64 // of the check, 0 where nothing is wrong
	Position int64
	Value    float64
}

// Scratch is memory for n elements that the operation uses while it runs.
func (l *Launches) Scratch(n int, t cuda.Type) (*cuda.Place, error) {
	m, err := l.GPU().Allocate(n * t.Bytes())
	if err != nil {
		return nil, err
	}
	return m.At(0), nil
}

// Constant is memory that holds numbers.
func (l *Launches) Constant(numbers []int64) (*cuda.Place, error) {
	at, err := l.Scratch(len(numbers), cuda.Int64)
	if err != nil || len(numbers) == 0 {
		return at, err
	}
	return at, l.GPU().Upload(at, unsafe.Pointer(&numbers[0]), 8*len(numbers))
}

// real is the type that T is for an operand.
func (r Remote) real() cuda.Type { return CUDAType(r.DType) }

// bytes is the operand's size.
func (r Remote) bytes() int { return r.Size() * CUDAType(r.DType).Bytes() }

// dtypes are package cuda's types as dtypes.
var dtypes = map[cuda.Type]tensor.Dtype{
	cuda.Float32: tensor.Float32, cuda.Float64: tensor.Float64, cuda.Int64: tensor.Int64, cuda.Bool: tensor.Bool,
}

// CUDAType is a dtype in package cuda's words.
func CUDAType(d tensor.Dtype) cuda.Type {
	for t, dtype := range dtypes {
		if dtype == d {
			return t
		}
	}
	panic(fmt.Sprintf("BUG: no arrays of %v", d))
}
