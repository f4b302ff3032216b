package main

import (
	"fmt"

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
	function(name, fmt.Sprintf("func(n int, weight, gradient, buffer *%[1]s, sign, decay, momentum, fresh, step %[1]s)", t))
	table(m, fmt.Sprintf("sgd[%d]", index(withDecay)), fmt.Sprint(mode), name)
	n, operands := param("n"), []Register{param("weight"), param("gradient"), param("buffer")}
	sign, decay, momentum := m.fillParam("sign"), m.fillParam("decay"), m.fillParam("momentum")
	fresh, step := m.fillParam("fresh"), m.fillParam("step")
	m.loop("sgd", n, 2, operands, func(at pointers, v int, tl *tail) {
		p, d := m.load(at, 0, v, tl), m.load(at, 1, v, tl)
		m.mul(sign, d, d)
		if withDecay {
			m.fma(p, decay, d)
		}
		buffer := d
		if mode == runningMomentum || mode == runningNesterov {
			buffer = m.load(at, 2, v, tl)
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
	})
	done()
}

func adam(m machine, withDecay, amsgrad bool) {
	t := m.element()
	name := m.name(fmt.Sprintf("adam%d%d", index(withDecay), index(amsgrad)))
	function(name, fmt.Sprintf("func(n int, weight, gradient, mean, square, most *%[1]s, sign, decay, shrink, lerp, beta2, fresh2, root2, eps, step %[1]s)", t))
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
	m.loop("adam", n, 1, operands, func(at pointers, v int, tl *tail) {
		p, d := m.load(at, 0, v, tl), m.load(at, 1, v, tl)
		m.mul(scalars["sign"], d, d)
		if withDecay {
			m.fma(p, scalars["decay"], d)
		}
		mean, gap := m.load(at, 2, v, tl), m.vec()
		m.sub(mean, d, gap)
		m.fma(gap, scalars["lerp"], mean)
		m.store(mean, at, 2, v, tl)
		square := m.load(at, 3, v, tl)
		m.mul(scalars["beta2"], square, square)
		m.mul(scalars["fresh2"], d, gap)
		m.fma(d, gap, square)
		m.store(square, at, 3, v, tl)
		if amsgrad {
			most := m.load(at, 4, v, tl)
			high := m.vec()
			m.max(square, most, high) // NaN in square stays; NaN in most is put back
			m.choose(m.compare(unordered, most, most), most, high, high)
			m.store(high, at, 4, v, tl)
			square = high
		}
		m.sqrt(square, square)
		m.div(scalars["root2"], square, square)
		m.add(scalars["eps"], square, square)
		m.mul(scalars["shrink"], p, p)
		m.mul(scalars["step"], mean, mean)
		m.div(square, mean, mean)
		m.add(mean, p, p)
		m.store(p, at, 0, v, tl)
	})
	done()
}
