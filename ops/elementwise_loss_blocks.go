package ops

import (
	"math"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// lossBlock is what a row's formulas see of the inputs: a run of elements, short enough for the first-level cache. They set the
// losses and dx, their derivatives with respect to x. s and t are for them to use.
//
// They compute in the inputs' own dtype, so that what overflows in PyTorch overflows here.
type lossBlock[T kernel.Float] struct {
	x, y, z  []T // z is what stands for it where it is not given
	a, b     T
	loss, dx []T
	s, t     []T
}

// blockOf are a row's formulas for one dtype.
type blockOf[T kernel.Float] func(b *lossBlock[T])

// blocks are a row's formulas for both.
type blocks struct {
	of32 blockOf[float32]
	of64 blockOf[float64]
}

func blockFor[T kernel.Float](b blocks) blockOf[T] {
	if f, ok := any(b.of32).(blockOf[T]); ok {
		return f
	}
	return any(b.of64).(blockOf[T])
}

// each calls a formula of one element for all; it is for formulas that are more than the call.
func (b *lossBlock[T]) each(f func(i int, x, y T) (loss, dx T)) {
	for i, x := range b.x {
		b.loss[i], b.dx[i] = f(i, x, b.y[i])
	}
}

func mseBlock[T kernel.Float](b *lossBlock[T]) {
	kernel.Zip(kernel.Sub, b.dx, b.x, b.y)
	kernel.Zip(kernel.Mul, b.loss, b.dx, b.dx)
	kernel.Scale(b.dx, b.dx, 2)
}

func l1Block[T kernel.Float](b *lossBlock[T]) {
	kernel.Zip(kernel.Sub, b.s, b.x, b.y)
	kernel.Map(kernel.Abs, b.loss, b.s, 0, 0)
	kernel.Map(kernel.Sign, b.dx, b.s, 0, 0)
}

func huberBlock[T kernel.Float](b *lossBlock[T]) {
	kernel.Zip(kernel.Sub, b.s, b.x, b.y)
	b.limited(b.s, b.a, 1)
}

// smoothL1Block is huberBlock over beta.
func smoothL1Block[T kernel.Float](b *lossBlock[T]) {
	beta := b.a
	if beta == 0 {
		l1Block(b)
		return
	}
	kernel.Zip(kernel.Sub, b.s, b.x, b.y)
	if math.IsInf(float64(beta), 1) { // over which all is 0
		kernel.Scale(b.dx, b.s, 0)
		kernel.Scale(b.loss, b.s, 0)
		return
	}
	kernel.ZipScalar(kernel.Div, b.t, b.s, beta)
	b.limited(b.t, 1, beta)
}

// limited has the slopes within a limit, and the losses slope·(s - slope·width/2).
func (b *lossBlock[T]) limited(slopes []T, limit, width T) {
	kernel.Map(kernel.Clamp, b.dx, slopes, -limit, limit)
	kernel.Scale(b.loss, b.dx, width/2)
	kernel.Zip(kernel.Sub, b.loss, b.s, b.loss)
	kernel.Zip(kernel.Mul, b.loss, b.loss, b.dx)
}

func bceBlock[T kernel.Float](b *lossBlock[T]) {
	kernel.Map(kernel.Log, b.s, b.x, 0, 0)
	kernel.Map(kernel.Neg, b.t, b.x, 0, 0)
	kernel.Map(kernel.Log1p, b.t, b.t, 0, 0)
	for i, x := range b.x {
		y := b.y[i]
		b.loss[i] = (y-1)*max(b.t[i], -100) - y*max(b.s[i], -100)
		b.dx[i] = (x - y) / max((1-x)*x, 1e-12)
	}
}

func bceWithLogitsBlock[T kernel.Float](b *lossBlock[T]) {
	kernel.Map(kernel.LogSigmoid, b.s, b.x, 0, 0)
	kernel.Map(kernel.Sigmoid, b.t, b.x, 0, 0)
	for i, x := range b.x {
		y, p := b.y[i], b.z[i]
		b.loss[i] = (1-y)*x - ((p-1)*y+1)*b.s[i]
		b.dx[i] = (p*y+1-y)*b.t[i] - p*y
	}
}

func klDivBlock[T kernel.Float](b *lossBlock[T]) {
	kernel.Map(kernel.Log, b.s, b.y, 0, 0)
	for i, x := range b.x {
		y, entropy := b.y[i], T(0)
		if y != 0 {
			entropy = y * b.s[i]
		}
		b.loss[i], b.dx[i] = entropy-y*x, -y
	}
}

func klDivLogBlock[T kernel.Float](b *lossBlock[T]) {
	kernel.Map(kernel.Exp, b.s, b.y, 0, 0)
	for i, x := range b.x {
		b.loss[i], b.dx[i] = b.s[i]*(b.y[i]-x), -b.s[i]
	}
}

func hingeEmbeddingBlock[T kernel.Float](b *lossBlock[T]) {
	b.each(func(_ int, x, y T) (loss, dx T) {
		if y != -1 {
			loss, dx = x, 1
		}
		if y != 1 {
			hinge, on := positive(b.a - x)
			loss, dx = loss+hinge, dx-on
		}
		return loss, dx
	})
}

func softMarginBlock[T kernel.Float](b *lossBlock[T]) {
	kernel.Zip(kernel.Mul, b.t, b.x, b.y)
	kernel.Map(kernel.LogSigmoid, b.loss, b.t, 0, 0)
	kernel.Map(kernel.Neg, b.t, b.t, 0, 0)
	kernel.Map(kernel.Exp, b.s, b.t, 0, 0)
	for i, power := range b.s {
		b.loss[i], b.dx[i] = -b.loss[i], -b.y[i]*power/(1+power)
		if math.IsInf(float64(power), 1) {
			b.loss[i] = power
		}
	}
}

// stirlings adds Stirling's approximations of log(y!) to the losses, for the full loss of counts.
func (b *lossBlock[T]) stirlings() {
	if b.b == 0 {
		return
	}
	for i, y := range b.y {
		b.loss[i] += T(stirling(float64(y)))
	}
}

func poissonNLLBlock[T kernel.Float](b *lossBlock[T]) {
	kernel.ZipScalar(kernel.Add, b.t, b.x, b.a)
	kernel.Map(kernel.Log, b.s, b.t, 0, 0)
	for i, x := range b.x {
		b.loss[i], b.dx[i] = x-b.y[i]*b.s[i], 1-b.y[i]/b.t[i]
	}
	b.stirlings()
}

func poissonNLLLogBlock[T kernel.Float](b *lossBlock[T]) {
	kernel.Map(kernel.Exp, b.s, b.x, 0, 0)
	for i, x := range b.x {
		b.loss[i], b.dx[i] = b.s[i]-b.y[i]*x, b.s[i]-b.y[i]
	}
	b.stirlings()
}

func gaussianNLLBlock[T kernel.Float](b *lossBlock[T]) {
	for i, z := range b.z {
		b.t[i] = max(z, b.a)
	}
	kernel.Map(kernel.Log, b.s, b.t, 0, 0)
	constant := b.b * T(halfLog2Pi)
	for i, x := range b.x {
		d := x - b.y[i]
		b.dx[i] = d / b.t[i]
		b.loss[i] = (b.s[i]+d*d/b.t[i])/2 + constant
	}
}

func marginRankingBlock[T kernel.Float](b *lossBlock[T]) {
	b.each(func(i int, x, y T) (loss, dx T) {
		loss, on := positive(-b.z[i]*(x-y) + b.a)
		return loss, -b.z[i] * on
	})
}

func tripletMarginBlock[T kernel.Float](b *lossBlock[T]) {
	b.each(func(i int, x, y T) (loss, dx T) { return positive(b.a + x - min(y, b.z[i])) })
}

func multiLabelSoftMarginBlock[T kernel.Float](b *lossBlock[T]) {
	kernel.Map(kernel.LogSigmoid, b.s, b.x, 0, 0)
	kernel.Map(kernel.Neg, b.t, b.x, 0, 0)
	kernel.Map(kernel.LogSigmoid, b.t, b.t, 0, 0)
	kernel.Map(kernel.Sigmoid, b.dx, b.x, 0, 0)
	for i, y := range b.y {
		b.loss[i] = -(y*b.s[i] + (1-y)*b.t[i])
		b.dx[i] -= y
	}
}

// positive is max(v, 0), NaN kept, and its derivative, 0 at 0 and of NaN.
func positive[T kernel.Float](v T) (value, slope T) {
	switch {
	case v > 0:
		return v, 1
	case v <= 0:
		return 0, 0
	}
	return v, 0
}
