package kernel

import "math"

// SGDArgs are the settings of one step of SGD.
type SGDArgs struct {
	LR, Momentum, Dampening, WeightDecay float64
	Nesterov, Maximize                   bool
	First                                bool // the momentum buffer holds nothing yet
}

// SGD makes one step over parameters p with gradients g, in the order of operations of torch.optim.SGD, bit for bit: g is
// negated by Maximize, g += WeightDecay*p; with momentum, buffer = g on the First step and Momentum*buffer +
// (1-Dampening)*g later, g = g + Momentum*buffer if Nesterov, else the buffer; p -= LR*g. g itself is not changed.
// momentumBuffer may be nil when Momentum is 0.
func SGD[T Float](p, g, momentumBuffer []T, args SGDArgs) {
	n := len(p)
	need("g of SGD", len(g), n)
	if args.Momentum != 0 {
		need("momentumBuffer of SGD", len(momentumBuffer), n)
	}
	if parts := partsOf(n, grainMemory/2); parts > 1 {
		w := borrow[T]()
		inParts(&w.tasks.sgd, sgdTask[T]{p, g, momentumBuffer, args}, parts, n, lineElements)
		w.giveBack()
		return
	}
	sgdSerial(p, g, momentumBuffer, args)
}

type sgdTask[T Float] struct {
	p, g, momentumBuffer []T
	args                 SGDArgs
}

func (t *sgdTask[T]) run(_, i, j int) {
	var buffer []T
	if t.args.Momentum != 0 {
		buffer = t.momentumBuffer[i:j]
	}
	sgdSerial(t.p[i:j], t.g[i:j], buffer, t.args)
}

func sgdSerial[T Float](p, g, momentumBuffer []T, args SGDArgs) {
	n := len(p)
	if f := kernelsOf[T]().sgd[index(args.WeightDecay != 0)][momentumMode(args)]; f != nil && n > 0 {
		sign, buffer := T(1), &p[0] // stands for a buffer that is not read
		if args.Maximize {
			sign = -1
		}
		if args.Momentum != 0 {
			buffer = &momentumBuffer[0]
		}
		f(n, &p[0], &g[0], buffer, sign, T(args.WeightDecay), T(args.Momentum), T(1-args.Dampening), T(-args.LR), T(args.idleWeight()))
		return
	}
	sgdGo(p, g, momentumBuffer, args)
}

// idleWeight is from what size on weights don't change by a subnormal momentum without a gradient, which stays subnormal then: infinity
// where that is not so, as for settings that are NaN.
func (args SGDArgs) idleWeight() float64 {
	if momentum := float32(args.Momentum); momentum > 0.5 && momentum <= 1 && math.Abs(args.LR) <= 0x1p20 && math.Abs(args.Dampening) <= 0x1p20 {
		return 0x1p-58
	}
	return math.Inf(1)
}

// momentumMode numbers the ways of momentum as the table of kernels does.
func momentumMode(args SGDArgs) int {
	switch {
	case args.Momentum == 0:
		return 0
	case args.Nesterov:
		return 4 - index(args.First)
	}
	return 2 - index(args.First)
}

func index(on bool) int {
	if on {
		return 1
	}
	return 0
}

func sgdGo[T Float](p, g, momentumBuffer []T, args SGDArgs) {
	decay, momentum := T(args.WeightDecay), T(args.Momentum)
	fresh, step := T(1-args.Dampening), T(-args.LR)
	for i := range p {
		d := g[i]
		if args.Maximize {
			d = -d
		}
		if args.WeightDecay != 0 {
			d = fma(decay, p[i], d)
		}
		if args.Momentum != 0 {
			m := d
			if !args.First {
				m = fma(fresh, d, rounded(momentumBuffer[i]*momentum))
			}
			momentumBuffer[i] = m
			if args.Nesterov {
				d = fma(momentum, m, d)
			} else {
				d = m
			}
		}
		p[i] = fma(step, d, p[i])
	}
}

// AdamArgs are the settings of one step of Adam.
type AdamArgs struct {
	LR, Beta1, Beta2, Eps, WeightDecay float64
	Decoupled                          bool // AdamW: the decay shrinks p directly
	AMSGrad, Maximize                  bool
	Step                               int // 1 for the first step
}

// Adam makes one step over parameters p with gradients g, in the order of operations of torch.optim.Adam and AdamW, bit for
// bit: m and v are the running averages of g and g*g, vmax the running maximum of v (AMSGrad; otherwise nil). g itself is
// not changed.
func Adam[T Float](p, g, m, v, vmax []T, args AdamArgs) {
	n := len(p)
	need("g of Adam", len(g), n)
	need("m of Adam", len(m), n)
	need("v of Adam", len(v), n)
	if args.AMSGrad {
		need("vmax of Adam", len(vmax), n)
	}
	s := newAdamScalars[T](args)
	if parts := partsOf(n, grainMemory/4); parts > 1 {
		w := borrow[T]()
		inParts(&w.tasks.adam, adamTask[T]{p, g, m, v, vmax, s}, parts, n, lineElements)
		w.giveBack()
		return
	}
	adamSerial(p, g, m, v, vmax, s)
}

type adamTask[T Float] struct {
	p, g, m, v, vmax []T
	scalars          adamScalars[T]
}

func (t *adamTask[T]) run(_, i, j int) {
	var most []T
	if t.scalars.amsgrad {
		most = t.vmax[i:j]
	}
	adamSerial(t.p[i:j], t.g[i:j], t.m[i:j], t.v[i:j], most, t.scalars)
}

func adamSerial[T Float](p, g, m, v, vmax []T, s adamScalars[T]) {
	n := len(p)
	if f := kernelsOf[T]().adam[index(s.decay != 0)][index(s.amsgrad)]; f != nil && n > 0 && !s.lerpEnd {
		most := &v[0] // stands for a maximum that is not read
		if s.amsgrad {
			most = &vmax[0]
		}
		f(n, &p[0], &g[0], &m[0], &v[0], most, s.sign, s.decay, s.shrink, s.lerp, s.beta2, s.fresh2, s.root2, s.eps, s.step, s.easySquare())
		return
	}
	adamGo(p, g, m, v, vmax, s)
}

// adamScalars are the numbers of one step, rounded to the element type.
type adamScalars[T Float] struct {
	sign    T // -1 to maximize
	decay   T // added to g times p
	shrink  T // p is multiplied by it
	lerp    T // weight of g-m, applied to m, or to g when lerpEnd
	beta2   T
	fresh2  T // 1-beta2
	root2   T // square root of the second bias correction
	eps     T
	step    T // -lr / first bias correction
	lerpEnd bool
	amsgrad bool
}

// easySquare is up to what square the kernels may take quotients by multiplications: above it, or where it is below 0, a number on
// the way might be too large or too small for that.
func (s *adamScalars[T]) easySquare() T {
	within := func(x, least, most T) bool { return least <= x && x <= most } // not where it is NaN
	if within(s.root2, 0x1p-10, 1) && within(s.eps, 0x1p-40, 1) && within(s.lerp, 0, 0.5) && within(s.beta2, 0, 1) && within(s.step, -1, 1) {
		return 0x1p40
	}
	return -1
}

func newAdamScalars[T Float](args AdamArgs) adamScalars[T] {
	s := adamScalars[T]{
		sign: 1, shrink: 1, lerp: T(1 - args.Beta1), beta2: T(args.Beta2), fresh2: T(1 - args.Beta2), eps: T(args.Eps),
		root2:   T(math.Sqrt(1 - math.Pow(args.Beta2, float64(args.Step)))),
		step:    T(-(args.LR / (1 - math.Pow(args.Beta1, float64(args.Step))))),
		amsgrad: args.AMSGrad,
	}
	if args.Maximize {
		s.sign = -1
	}
	if args.Decoupled {
		s.shrink = T(1 - args.LR*args.WeightDecay)
	} else {
		s.decay = T(args.WeightDecay)
	}
	if s.lerp >= 0.5 || s.lerp <= -0.5 { // torch.lerp starts from the nearer end
		s.lerp, s.lerpEnd = s.lerp-1, true
	}
	return s
}

func adamGo[T Float](p, g, m, v, vmax []T, s adamScalars[T]) {
	for i := range p {
		d := g[i] * s.sign
		if s.decay != 0 {
			d = fma(s.decay, p[i], d)
		}
		start := m[i]
		if s.lerpEnd {
			start = d
		}
		mean := fma(s.lerp, d-m[i], start)
		square := fma(s.fresh2*d, d, rounded(v[i]*s.beta2))
		m[i], v[i] = mean, square
		if s.amsgrad {
			square = maximum(vmax[i], square)
			vmax[i] = square
		}
		denominator := sqrt(square)/s.root2 + s.eps
		p[i] = rounded(p[i]*s.shrink) + s.step*mean/denominator
	}
}
