package initializers

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

// Orthogonal fills with a matrix whose rows, or columns where there are fewer, are at right angles to each other and of
// length Gain: orthogonal_(gain=1). A tensor of more dims is a matrix of its first dim and the rest. The zero Gain is 1.
//
// The numbers drawn are PyTorch's for the same seed; the last digits of the result are not, for PyTorch's come from the
// machine's LAPACK. See Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks"
// (2014).
type Orthogonal struct{ Gain float64 }

// Init draws one number an element; the parameter must have two dims or more.
func (o Orthogonal) Init(g *random.Generator, a *ops.Array) error {
	if len(a.Shape) < 2 {
		return &ops.ShapeError{What: "tensor", Got: a.Shape, Note: "two dims or more"}
	}
	if math.IsNaN(o.Gain) || math.IsInf(o.Gain, 0) {
		return &ops.ValueError{What: "gain", Got: fmt.Sprint(o.Gain), Want: "a number"}
	}
	if a.Len == 0 {
		return nil
	}
	gain := o.Gain
	if gain == 0 {
		gain = 1
	}
	if a.DType == tensor.Float64 {
		orthogonal(g, ops.Slice[float64](a), a.Shape[0], gain)
	} else {
		orthogonal(g, ops.Slice[float32](a), a.Shape[0], gain)
	}
	return nil
}

// orthogonal draws a matrix and takes the orthogonal part of its QR decomposition, the one whose R has a diagonal above 0.
func orthogonal[T random.Float](g *random.Generator, x []T, rows int, gain float64) {
	columns := len(x) / rows
	random.Normal(g, x, 0, 1)
	wide := rows < columns
	vectors, size := rows, columns // of the vectors to be made orthogonal, which lie one after the other
	if !wide {
		vectors, size = columns, rows
	}
	v := make([]float64, len(x))
	for i := range vectors {
		for j := range size {
			if wide {
				v[i*size+j] = float64(x[i*size+j])
			} else {
				v[i*size+j] = float64(x[j*columns+i])
			}
		}
	}
	q := orthonormal(v, vectors, size)
	for i := range vectors {
		for j := range size {
			value := T(q[i*size+j]) * T(gain)
			if wide {
				x[i*size+j] = value
			} else {
				x[j*columns+i] = value
			}
		}
	}
}

// orthonormal gives, for n vectors of m ≥ n numbers, the columns of Q in QR, by Householder's reflections, which overwrite
// the vectors. Each column's direction is such that its vector's part along it is above 0; a vector that the ones before
// span gives zeros, as PyTorch's does.
func orthonormal(a []float64, n, m int) []float64 {
	scales, signs := make([]float64, n), make([]float64, n)
	for k := range n {
		v := a[k*m+k : (k+1)*m] // the reflection v that brings this vector to the k-th axis
		norm := math.Sqrt(kernel.SumSquares(v))
		alpha := -math.Copysign(norm, v[0])
		v[0] -= alpha
		if square := kernel.SumSquares(v); square > 0 {
			scales[k] = 2 / square
		}
		switch {
		case alpha > 0:
			signs[k] = 1
		case alpha < 0:
			signs[k] = -1
		}
		reflect(a[min((k+1)*m+k, len(a)):], n-k-1, m, v, scales[k])
	}
	q := make([]float64, n*m)
	for k := n - 1; k >= 0; k-- {
		q[k*m+k] = 1
		reflect(q[k*m+k:], n-k, m, a[k*m+k:(k+1)*m], scales[k])
	}
	for k, sign := range signs {
		kernel.Scale(q[k*m:(k+1)*m], q[k*m:(k+1)*m], sign)
	}
	return q
}

// reflect takes from n vectors, which lie m apart, their part along v, scale/2 being 1 over its square, twice.
func reflect(vectors []float64, n, m int, v []float64, scale float64) {
	if n == 0 {
		return
	}
	along := make([]float64, n)
	kernel.Gemm(kernel.NT, n, 1, len(v), vectors, m, v, len(v), along, 1, false, kernel.Epilogue[float64]{})
	kernel.Scale(along, along, -scale)
	kernel.Gemm(kernel.NN, n, len(v), 1, along, 1, v, len(v), vectors, m, true, kernel.Epilogue[float64]{})
}
