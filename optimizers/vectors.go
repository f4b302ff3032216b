package optimizers

import (
	"sync"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
	"github.com/seed-70b75153/aegis/ops"
)

const (
	// vectorBlock is how many elements a rule takes at a time, which stay in the first-level cache from one operation to the next.
	vectorBlock = 1024
	// vectorShare is from how many elements on a run is shared among threads: pieces of a parameter, which are shared themselves, are shorter.
	vectorShare = 1 << 16
)

// vectors are a block of a parameter in an update: its values, its gradient, weight decay and direction considered, and what the rule
// keeps for it, on which a rule works an operation at a time; x and y are room for what comes between.
type vectors[T kernel.Float] struct {
	p, g, x, y []T
	state      [maxArrays][]T
	room       [3][vectorBlock]T
}

var vectors32, vectors64 = sync.Pool{New: func() any { return new(vectors[float32]) }}, sync.Pool{New: func() any { return new(vectors[float64]) }}

// vectorRule is a rule that works so, in either dtype.
type vectorRule interface {
	update32(v *vectors[float32])
	update64(v *vectors[float64])
}

// inVectors applies a rule to a run, shared among threads where it is long.
func inVectors(r *run, decay float64, maximize bool, rule vectorRule) {
	if r.values.DType == tensor.Float64 {
		shareVectors(r, decay, maximize, &vectors64, rule.update64)
	} else {
		shareVectors(r, decay, maximize, &vectors32, rule.update32)
	}
}

func shareVectors[T kernel.Float](r *run, decay float64, maximize bool, pool *sync.Pool, rule func(v *vectors[T])) {
	if n := r.values.Len; n < vectorShare {
		takeVectors(r, decay, maximize, pool, rule, 0, n)
	} else {
		kernel.Share(n, vectorShare/4, func(_, from, to int) { takeVectors(r, decay, maximize, pool, rule, from, to) })
	}
}

// takeVectors applies a rule to some elements.
func takeVectors[T kernel.Float](r *run, decay float64, maximize bool, pool *sync.Pool, rule func(v *vectors[T]), from, to int) {
	values, gradients := ops.Slice[T](&r.values), ops.Slice[T](&r.gradients)
	v := pool.Get().(*vectors[T])
	for i := from; i < to; i += vectorBlock {
		end := min(i+vectorBlock, to)
		v.p, v.g, v.x, v.y = values[i:end], v.room[0][:end-i], v.room[1][:end-i], v.room[2][:end-i]
		if copy(v.g, gradients[i:end]); maximize {
			kernel.Map(kernel.Neg, v.g, v.g, 0, 0)
		}
		if decay != 0 {
			kernel.Axpy(T(decay), v.p, v.g)
		}
		for j := range r.state {
			v.state[j] = slice[T](r, j)[i:end]
		}
		rule(v)
	}
	v.p, v.state = nil, [maxArrays][]T{}
	pool.Put(v)
}

// scale multiplies x by a factor, unless that is 1.
func scale[T kernel.Float](x []T, by float64) {
	if by != 1 {
		kernel.ZipScalar(kernel.Mul, x, x, T(by))
	}
}

// add adds a number to x.
func add[T kernel.Float](x []T, y float64) { kernel.ZipScalar(kernel.Add, x, x, T(y)) }

// towards moves x by a share of the way to y.
func (v *vectors[T]) towards(x, y []T, share float64) {
	if share == 1 {
		copy(x, y)
		return
	}
	kernel.Zip(kernel.Sub, v.x, y, x)
	kernel.Axpy(T(share), v.x, x)
}

// keepSquares makes mean keep a share of itself, and take the square of x for the rest.
func (v *vectors[T]) keepSquares(mean, x []T, share float64) {
	scale(mean, share)
	kernel.Zip(kernel.Mul, v.x, x, x)
	kernel.Axpy(T(1-share), v.x, mean)
}

// root is the square root of x, and eps more, in y.
func (v *vectors[T]) root(x []T, eps float64) []T {
	kernel.Map(kernel.Sqrt, v.y, x, 0, 0)
	add(v.y, eps)
	return v.y
}

// step moves the values by a factor times x/y, which is in v.x then.
func (v *vectors[T]) step(x, y []T, factor float64) {
	kernel.Zip(kernel.Div, v.x, x, y)
	kernel.Axpy(T(factor), v.x, v.p)
}
