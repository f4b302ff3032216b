package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// optimizers emits the update rules, one function for each set of terms that takes part, in PyTorch's order of operations.
func optimizers(m machine) {
	for _, decay := range []bool{false, true} {
		for momentum := range momentumModes {
			sgd(m, decay, momentum)
		}
		for _, amsgrad := range []bool{false, true} {
			adam(m, decay, amsgrad)
		}
	}
}

// The ways of momentum: none; a fresh buffer; a running one; both with Nesterov's step.
const (
	noMomentum = iota
	firstMomentum
	runningMomentum
	firstNesterov
	runningNesterov
	momentumModes
)

func index(on bool) int {
	if on {
		return 1
	}
	return 0
}

func sgd(m machine, withDecay bool, mode int) {
	t := m.element()
	name := m.name(fmt.Sprintf("sgd%d%d", index(withDecay), mode))
	function(name, fmt.Sprintf("func(n int, weight, gradient, buffer *%[1]s, sign, decay, momentum, fresh, step, idle %[1]s)", t))
	table(m, fmt.Sprintf("sgd[%d]", index(withDecay)), fmt.Sprint(mode), name)
	n, operands := param("n"), []Register{param("weight"), param("gradient"), param("buffer")}
	sign, decay, momentum := m.fillParam("sign"), m.fillParam("decay"), m.fillParam("momentum")
	fresh, step := m.fillParam("fresh"), m.fillParam("step")
	running := mode == runningMomentum || mode == runningNesterov
	var leastWeight Register
	if m.avx512 && m.f32 && running && !withDecay {
		leastWeight = m.fillParam("idle")
	}
	var rest []func() // what idle vectors jump to
	m.loop("sgd", n, 2, operands, func(at pointers, v int, tl *tail) {
		p, d := m.load(at, 0, v, tl), m.load(at, 1, v, tl)
		m.mul(sign, d, d)
		if withDecay {
			m.fma(p, decay, d)
		}
		buffer := d
		end := ""
		if running {
			buffer = m.load(at, 2, v, tl)
			if leastWeight != nil && tl == nil {
				idle, usual := fmt.Sprintf("idle%d", len(rest)), fmt.Sprintf("usual%d", len(rest))
				end = fmt.Sprintf("updated%d", len(rest))
				gradient := d
				jumpIfSubnormal(buffer, idle)
				Label(usual)
				rest = append(rest, func() {
					Label(idle)
					twice := m.twice(buffer)
					busy := m.notIdle(gradient, twice, p, leastWeight)
					KORTESTW(busy, busy)
					JNE(LabelRef(usual))
					count, sum, zeros, none := m.counted(twice), m.filled(smallest), m.vec(), K()
					m.fma(count, momentum, sum)
					VPSUBD(m.integer(whole), sum, sum)
					m.sign(buffer, twice, sum)
					VPTESTNMD(twice, twice, none)
					VMOVAPS_Z(buffer, none, zeros)
					m.mul(momentum, zeros, zeros)
					m.fma(gradient, fresh, zeros)
					VMOVAPS(zeros, none, sum)
					m.move(sum, at.at(2, v))
					JMP(LabelRef(end))
				})
			}
			m.mul(momentum, buffer, buffer)
			m.fma(d, fresh, buffer)
		}
		if mode != noMomentum {
			m.store(buffer, at, 2, v, tl)
		}
		switch mode {
		case firstNesterov, runningNesterov:
			d = m.copied(d)
			m.fma(buffer, momentum, d)
		default:
			d = buffer
		}
		m.fma(d, step, p)
		m.store(p, at, 0, v, tl)
		if end != "" {
			Label(end)
		}
	})
	done()
	for _, f := range rest {
		f()
	}
}

// divideByRoot makes mean/(root/root2 + eps) of mean.
func (m machine) divideByRoot(mean, root, root2, eps Register) {
	m.div(root2, root, root)
	m.add(eps, root, root)
	m.div(root, mean, mean)
}

func adam(m machine, withDecay, amsgrad bool) {
	t := m.element()
	name := m.name(fmt.Sprintf("adam%d%d", index(withDecay), index(amsgrad)))
	function(name, fmt.Sprintf("func(n int, weight, gradient, mean, square, most *%[1]s, sign, decay, shrink, lerp, beta2, fresh2, root2, eps, step, easy %[1]s)", t))
	table(m, fmt.Sprintf("adam[%d]", index(withDecay)), fmt.Sprint(index(amsgrad)), name)
	n, operands := param("n"), []Register{param("weight"), param("gradient"), param("mean"), param("square")}
	if amsgrad {
		operands = append(operands, param("most"))
	}
	scalars := map[string]Register{}
	for _, s := range []string{"sign", "decay", "shrink", "lerp", "beta2", "fresh2", "root2", "eps", "step"} {
		if s != "decay" || withDecay {
			scalars[s] = m.fillParam(s)
		}
	}
	// gather updates the mean and the square of a vector, and leaves in their registers what to divide; apply updates the weight.
	var quick *quickQuotient
	gather := func(mean, square Register, at pointers, tl *tail) {
		d, gap := m.load(at, 1, 0, tl), m.vec()
		m.mul(scalars["sign"], d, d)
		if withDecay {
			m.fma(m.load(at, 0, 0, tl), scalars["decay"], d)
		}
		m.loadTo(mean, at, 2, 0, tl)
		m.loadTo(square, at, 3, 0, tl)
		if quick != nil && !withDecay && !amsgrad && tl == nil {
			done := quick.idle(d, mean, square, scalars["lerp"], scalars["beta2"], at)
			defer done()
		}
		m.sub(mean, d, gap)
		m.fma(gap, scalars["lerp"], mean)
		m.store(mean, at, 2, 0, tl)
		m.mul(scalars["beta2"], square, square)
		m.mul(scalars["fresh2"], d, gap)
		m.fma(d, gap, square)
		m.store(square, at, 3, 0, tl)
		if amsgrad {
			most := m.load(at, 4, 0, tl)
			high := m.vec()
			m.max(square, most, high) // NaN in square stays; NaN in most is put back
			m.choose(m.compare(unordered, most, most), most, high, square)
			m.store(square, at, 4, 0, tl)
		}
		m.mul(scalars["step"], mean, mean)
	}
	apply := func(quotient Register, at pointers, vector int, tl *tail) {
		p := m.load(at, 0, vector, tl)
		m.mul(scalars["shrink"], p, p)
		m.add(quotient, p, p)
		m.store(p, at, 0, vector, tl)
	}
	if m.avx512 && m.f32 {
		quick = m.quickQuotient(scalars["root2"], scalars["eps"], m.fillParam("easy"))
		quick.loop(n, operands, gather, apply)
		done()
		quick.rest()
		return
	}
	m.loop("adam", n, 1, operands, func(at pointers, _ int, tl *tail) {
		mean, square := m.vec(), m.vec()
		gather(mean, square, at, tl)
		m.sqrt(square, square)
		m.divideByRoot(mean, square, scalars["root2"], scalars["eps"])
		apply(mean, at, 0, tl)
	})
	done()
}

// quickQuotient is divideByRoot by multiplications, to the same bits: the divider takes twice as long as all the rest of
// Adam. A quotient within one unit of the last place is corrected by its exact remainder times the reciprocal, which rounds it
// to the nearest if the reciprocal is the nearest itself (Markstein, IBM J. Res. Dev. 34, 1990). Vectors in which some number is
// so large or small that a step could overflow or underflow are divided.
type quickQuotient struct {
	m                            machine
	root2, eps, easy             Register
	inverse, low, lowest, spread Register // 1/root2 and what it lacks; see divide
	slow                         []func()
}

// The numerators that are easy, but for 0: the remainders of their quotients are exact. The squares have a bound, easy, of which Go
// code makes sure that it suits root2 and eps.
const lowestEasy, highestEasy = 0x1p-94, 0x1p60

func (m machine) quickQuotient(root2, eps, easy Register) *quickQuotient {
	q := &quickQuotient{m: m, root2: root2, eps: eps, easy: easy, inverse: m.vec()}
	q.low = m.filled(1)
	m.div(root2, q.low, q.inverse)
	m.fnma(root2, q.inverse, q.low)
	m.mul(q.inverse, q.low, q.low)
	twice := func(x float64) uint64 { return 2 * uint64(math.Float32bits(float32(x))) }
	q.lowest, q.spread = m.vec(), m.vec()
	m.fill(m.bits(-twice(lowestEasy)&math.MaxUint32), q.lowest)
	m.fill(m.bits(twice(highestEasy)-twice(lowestEasy)), q.spread)
	return q
}

// dividend is a vector on its way.
type dividend struct{ mean, square, root Register }

func (m machine) dividend() dividend { return dividend{m.vec(), m.vec(), m.vec()} }

// loop is the loop of [machine.loop] in which the root of a vector is taken while the one before it is divided: what waits for a
// root would fill the processor's queues.
func (q *quickQuotient) loop(n Register, operands []Register, gather func(mean, square Register, at pointers, t *tail), apply func(quotient Register, at pointers, vector int, t *tail)) {
	m, rest := q.m, GP64()
	MOVQ(n, rest)
	at := pointers{m, m.lanes(), GP64(), operands}
	XORQ(at.index, at.index)
	begin := func(d dividend, t *tail) {
		gather(d.mean, d.square, at, t)
		m.sqrt(d.square, d.root)
	}
	lanes := I32(int32(m.lanes()))
	vectors := []dividend{m.dividend(), m.dividend()}
	CMPQ(rest, lanes)
	JLT(LabelRef("rest"))
	begin(vectors[0], nil)
	Label("whole")
	for i, d := range vectors {
		ADDQ(lanes, at.index)
		SUBQ(lanes, rest)
		CMPQ(rest, lanes)
		JLT(LabelRef(fmt.Sprintf("last%d", i)))
		begin(vectors[1-i], nil)
		apply(q.divide(d), at, -1, nil)
	}
	JMP(LabelRef("whole"))
	for i, d := range vectors {
		Label(fmt.Sprintf("last%d", i))
		apply(q.divide(d), at, -1, nil)
		if i == 0 {
			JMP(LabelRef("rest"))
		}
	}
	Label("rest")
	TESTQ(rest, rest)
	JZ(LabelRef("done"))
	t := m.tailOf(rest)
	begin(vectors[0], &t)
	apply(q.divide(vectors[0]), at, 0, &t)
	Label("done")
}

// divide makes mean/(root/root2 + eps).
func (q *quickQuotient) divide(d dividend) (quotient Register) {
	m := q.m
	slow, joined := fmt.Sprintf("slow%d", len(q.slow)), fmt.Sprintf("joined%d", len(q.slow))
	hard, twice, above := K(), m.vec(), m.vec()
	quotient = m.vec()
	VPADDD(d.mean, d.mean, twice) // without the sign
	VPADDD(q.lowest, twice, above)
	VPCMPUD(U8(6), q.spread, above, hard)
	VPTESTMD(twice, twice, hard, hard)
	KORTESTW(m.compare(notLessEqual, d.square, q.easy), hard)
	JNE(LabelRef(slow))
	q.slow = append(q.slow, func() {
		Label(slow)
		m.divideByRoot(d.mean, d.root, q.root2, q.eps)
		m.move(d.mean, quotient)
		JMP(LabelRef(joined))
	})

	divisor, reciprocal := m.vec(), m.vec()
	m.mul(q.low, d.root, divisor)
	m.fma(q.inverse, d.root, divisor)
	m.add(q.eps, divisor, reciprocal) // near enough for a first guess
	VRCP14PS(reciprocal, reciprocal)
	m.fnma(q.root2, divisor, d.root) // what remains
	m.fma(q.inverse, d.root, divisor)
	m.add(q.eps, divisor, divisor)
	lack := func(x Register) Register {
		r := m.filled(1)
		m.fnma(divisor, x, r)
		return r
	}
	far := lack(reciprocal)
	high := m.copied(reciprocal)
	VFMADD231PS_RU_SAE(far, reciprocal, high)
	first := far
	m.mulAdd(reciprocal, reciprocal, first)
	// Times the first, what it lacks would round to even, and wrong, for a divisor all of whose bits are 1. So it is the nearest for
	// every divisor: TestNearestReciprocals.
	nearest := lack(first)
	m.mulAdd(first, high, nearest)
	m.mul(first, d.mean, quotient)
	remainder := m.copied(d.mean)
	m.fnma(divisor, quotient, remainder)
	m.fma(first, remainder, quotient)
	m.fnma(divisor, quotient, d.mean)
	m.fma(nearest, d.mean, quotient)
	Label(joined)
	return quotient
}

// idle gives a way of their own to vectors of weights that have had no gradient for long: their means are subnormal by now, and
// stay so for good; see subnormal.go. It returns what writes the end of what this replaces.
func (q *quickQuotient) idle(d, mean, square, lerp, beta2 Register, at pointers) (end func()) {
	m := q.m
	number := len(q.slow)
	idle, usual, gathered := fmt.Sprintf("idle%d", number), fmt.Sprintf("usual%d", number), fmt.Sprintf("gathered%d", number)
	const leastWeight = 0x1p-58 // subnormal steps over an easy eps are less than half its last bit
	jumpIfSubnormal(mean, idle)
	Label(usual)
	q.slow = append(q.slow, func() {
		Label(idle)
		twice, weight := m.twice(mean), m.copied(at.at(0, 0))
		busy, more := m.notIdle(d, twice, weight, m.filled(leastWeight)), K()
		VPTESTMD(m.integer(1<<31), square, more)
		KORW(more, busy, busy)
		KORTESTW(m.compare(notLessEqual, square, q.easy), busy)
		JNE(LabelRef(usual))

		count, sum := m.counted(twice), m.vec()
		m.add(m.constant(smallest), count, sum)
		m.fnma(count, lerp, sum)
		VPSUBD(m.integer(whole), sum, sum)
		m.sign(mean, twice, sum)
		m.move(sum, at.at(2, 0))

		few := K()
		VPCMPUD(U8(below), m.integer(smallest), square, few)
		VPCMPUD(U8(atLeast), m.integer(smallest), square, more)
		VCVTDQ2PS_Z(square, few, count)
		m.fill(m.constant(smallest), sum)
		m.fma(count, beta2, sum)
		VPSUBD(m.integer(whole), sum, sum)
		VMULPS(beta2, square, more, sum) // the others as ever
		m.move(sum, at.at(3, 0))

		m.zero(mean)
		m.zero(square)
		JMP(LabelRef(gathered))
	})
	return func() { Label(gathered) }
}

// rest writes what vectors that are not easy jump to.
func (q *quickQuotient) rest() {
	for _, f := range q.slow {
		f()
	}
}
