//go:build gpu

package ops

import (
	"fmt"

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
}

// NewLaunches is an empty plan for a GPU.
func NewLaunches(g *cuda.GPU) *Launches { return &Launches{Plan: g.NewPlan(), Status: g.Status()} }

// Check makes the number by which a kernel calls fail, and the error that comes of it.
func (l *Launches) Check(failure func(position int64, value float64) error) (number int) {
	return l.Watch(failure)
}

// Scratch is memory for n elements that the operation uses while it runs.
func (l *Launches) Scratch(n int, t cuda.Type) (*cuda.Place, error) {
	return l.Plan.Scratch(n * t.Bytes())
}

// real is the type that T is for an operand.
func (r Remote) real() cuda.Type { return CUDAType(r.DType) }

// bytes is the operand's size.
func (r Remote) bytes() int { return r.Size() * CUDAType(r.DType).Bytes() }

// dtypes are package cuda's types as dtypes.
var dtypes = [...]tensor.Dtype{cuda.Float32: tensor.Float32, cuda.Float64: tensor.Float64, cuda.Int64: tensor.Int64, cuda.Bool: tensor.Bool}

// CUDAType is a dtype in package cuda's words.
func CUDAType(d tensor.Dtype) cuda.Type {
	for t := range dtypes {
		if dtypes[t] == d {
			return cuda.Type(t)
		}
	}
	panic(fmt.Sprintf("BUG: no arrays of %v", d))
}
