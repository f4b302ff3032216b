package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// wide is the machine that sums this one's elements: float64 always.
func (m machine) wide() machine { return machine{m.avx512, false} }

// loadWide reads one vector of float64, converting from float32.
func (m machine) loadWide(from Mem, t *tail) Register {
	w := m.wide()
	r := w.vec()
	switch {
	case !m.f32 && t == nil:
		w.move(from, r)
	case !m.f32:
		w.loadTail(*t, from, r)
	case t == nil:
		VCVTPS2PD(from, r)
	case m.avx512:
		VCVTPS2PD_Z(from, t.op, r)
	default:
		x := XMM()
		VMASKMOVPS(from, t.op.(Vec).AsX(), x)
		VCVTPS2PD(x, r)
	}
	return r
}

// storeWide writes one vector of float64, converting to float32.
func (m machine) storeWide(x Register, to Mem, t *tail) {
	w := m.wide()
	switch {
	case !m.f32 && t == nil:
		w.move(x, to)
	case !m.f32:
		w.storeTail(*t, x, to)
	case m.avx512:
		y := YMM()
		VCVTPD2PS(x, y)
		if t == nil {
			VMOVUPS(y, to)
		} else {
			VMOVUPS(y, t.op, to)
		}
	default:
		y := XMM()
		VCVTPD2PSY(x, y)
		if t == nil {
			VMOVUPS(y, to)
		} else {
			VMASKMOVPS(y, t.op.(Vec).AsX(), to)
		}
	}
}

func reductions(m machine) {
	w, t := m.wide(), m.element()
	for _, squares := range []bool{false, true} {
		stem := "sum"
		if squares {
			stem = "sumSquares"
		}
		name := m.name(stem)
		function(name, "func(n int, x *"+t+") float64")
		table(m, stem, "", name)
		n, operands := param("n"), []Register{param("x")}
		const unroll = 4
		var sums [unroll]Register
		for i := range sums {
			sums[i] = w.vec()
			w.zero(sums[i])
		}
		m.loopOf(w.lanes(), "sum", n, unroll, operands, func(p pointers, v int, tl *tail) {
			x := m.loadWide(p.at(0, v), tl)
			if squares {
				w.fma(x, x, sums[v])
			} else {
				w.add(x, sums[v], sums[v])
			}
		})
		for i := 1; i < unroll; i++ {
			w.add(sums[i], sums[0], sums[0])
		}
		w.fold(sums[0], w.addAny)
		w.result(sums[0], 0)
		done()
	}

	name := m.name("columnSums")
	function(name, fmt.Sprintf("func(cols int, dst, x *%s, rows, stride int)", t))
	table(m, "columnSums", "", name)
	cols, operands := param("cols"), []Register{param("dst"), param("x")}
	rows, stride := param("rows"), param("stride")
	// A step's vectors must be summed together: the loop's body is called per vector, so the first call does them all.
	const unroll = 4
	block := 0
	m.loopOf(w.lanes(), "strip", cols, unroll, operands, func(p pointers, v int, tl *tail) {
		if v > 0 {
			return
		}
		block++
		vectors := 1
		if block == 1 {
			vectors = unroll
		}
		sums := make([]Register, vectors)
		for i := range sums {
			sums[i] = w.vec()
			w.zero(sums[i])
		}
		left, row := GP64(), GP64()
		MOVQ(rows, left)
		LEAQ(p.at(1, 0), row)
		label := fmt.Sprintf("rows%d", block)
		Label(label)
		for i := range sums {
			w.add(m.loadWide(Mem{Base: row, Disp: i * w.lanes() * m.size()}, tl), sums[i], sums[i])
		}
		ADDQ(stride, row)
		DECQ(left)
		JNZ(LabelRef(label))
		for i := range sums {
			m.storeWide(sums[i], p.at(0, i), tl)
		}
	})
	done()
}

// rows are the passes of softmax and its kin over one row.
func rows(m machine) {
	t := m.element()
	for _, stored := range []bool{false, true} {
		stem, signature := "expSum", "func(n int, src *"+t+") (most, sum "+t+")"
		if stored {
			stem, signature = "expRow", "func(n int, dst, src *"+t+") (most, sum "+t+")"
		}
		name := m.name(stem)
		function(name, signature)
		table(m, stem, "", name)
		n, operands := param("n"), []Register{param("src")}
		if stored {
			operands = append(operands, param("dst"))
		}
		const unroll = 2
		infinity := m.filled(math.Inf(-1))
		var most [unroll]Register
		for i := range most {
			most[i] = m.copied(infinity)
		}
		m.loop("max", n, unroll, operands, func(p pointers, v int, tl *tail) {
			x := m.load(p, 0, v, tl)
			if tl != nil {
				m.choose(tl.op, x, infinity, x)
			}
			m.max(x, most[v], most[v])
		})
		m.max(most[1], most[0], most[0])
		m.fold(most[0], m.maxAny)
		m.result(most[0], 0)
		m.spread(most[0])
		var sums [unroll]Register
		for i := range sums {
			sums[i] = m.vec()
			m.zero(sums[i])
		}
		m.loop("exp", n, unroll, operands, func(p pointers, v int, tl *tail) {
			x := m.load(p, 0, v, tl)
			m.sub(most[0], x, x)
			e := m.exp(x)
			if tl != nil {
				m.keepTail(*tl, e)
			}
			m.add(e, sums[v], sums[v])
			if stored {
				m.store(e, p, 1, v, tl)
			}
		})
		m.add(sums[1], sums[0], sums[0])
		m.fold(sums[0], m.addAny)
		m.result(sums[0], 1)
		done()
	}

	name := m.name("subtractTwo")
	function(name, "func(n int, dst, x *"+t+", s, r "+t+")")
	table(m, "subtractTwo", "", name)
	n, operands := param("n"), []Register{param("dst"), param("x")}
	s, r := m.fillParam("s"), m.fillParam("r")
	m.loop("sub", n, 2, operands, func(p pointers, v int, tl *tail) {
		x := m.load(p, 1, v, tl)
		m.sub(s, x, x)
		m.sub(r, x, x)
		m.store(x, p, 0, v, tl)
	})
	done()

	for _, logarithm := range []bool{false, true} {
		stem := "softmaxGrad"
		if logarithm {
			stem = "logSoftmaxGrad"
		}
		name := m.name(stem)
		function(name, "func(n int, dx, dy, y *"+t+")")
		table(m, stem, "", name)
		n, operands := param("n"), []Register{param("dx"), param("dy"), param("y")}
		const unroll = 2
		var sums [unroll]Register
		for i := range sums {
			sums[i] = m.vec()
			m.zero(sums[i])
		}
		m.loop("sum", n, unroll, operands, func(p pointers, v int, tl *tail) {
			g := m.load(p, 1, v, tl)
			if logarithm {
				m.add(g, sums[v], sums[v])
			} else {
				m.fma(m.load(p, 2, v, tl), g, sums[v])
			}
		})
		m.add(sums[1], sums[0], sums[0])
		m.fold(sums[0], m.addAny)
		m.spread(sums[0])
		m.loop("apply", n, unroll, operands, func(p pointers, v int, tl *tail) {
			g, y := m.load(p, 1, v, tl), m.load(p, 2, v, tl)
			if logarithm {
				m.fnma(m.exp(y), sums[0], g)
			} else {
				m.sub(sums[0], g, g)
				m.mul(y, g, g)
			}
			m.store(g, p, 0, v, tl)
		})
		done()
	}
}

// maxAny takes the maximum of registers of any width.
func (m machine) maxAny(y, x, d Op) {
	if m.f32 {
		VMAXPS(y, x, d)
	} else {
		VMAXPD(y, x, d)
	}
}

// spread copies the first lane to all.
func (m machine) spread(x Register) {
	if m.f32 {
		VBROADCASTSS(x.(Vec).AsX(), x)
	} else {
		VBROADCASTSD(x.(Vec).AsX(), x)
	}
}

// narrowRows emits softmax over rows that fit one or two vectors, many rows a call, so that the latencies of one row hide
// behind the next: dst = exp(src-most)/sum, and each row's most and sum.
func narrowRows(m machine) {
	t := m.element()
	for vectors := 1; vectors <= 2; vectors++ {
		name := m.name(fmt.Sprintf("narrowSoftmax%d", vectors))
		function(name, "func(rows, n int, dst, src, most, sum *"+t+")")
		table(m, "narrowSoftmax", fmt.Sprint(vectors), name)
		rows, n, dst, src := param("rows"), param("n"), param("dst"), param("src")
		most, sum := param("most"), param("sum")
		stride := GP64()
		MOVQ(n, stride)
		SHLQ(U8(m.shift()), stride)
		if vectors == 2 { // the second vector holds the rest
			SUBQ(U8(m.lanes()), n)
		}
		mask := m.tailOf(n)
		infinity := m.filled(math.Inf(-1))
		Label("row")
		x := make([]Register, vectors)
		for v := range x {
			from := Mem{Base: src, Disp: v * m.bytes()}
			if v < vectors-1 {
				x[v] = m.copied(from)
				continue
			}
			x[v] = m.vec()
			m.loadTail(mask, from, x[v])
			m.choose(mask.op, x[v], infinity, x[v])
		}
		high := m.copied(x[0])
		for _, y := range x[1:] {
			m.max(y, high, high)
		}
		m.fold(high, m.maxAny)
		m.storeFirst(high, Mem{Base: most})
		m.spread(high)
		total := m.vec()
		for v := range x {
			m.sub(high, x[v], x[v])
			x[v] = m.exp(x[v])
			if v == vectors-1 {
				m.keepTail(mask, x[v])
			}
			if v == 0 {
				m.move(x[v], total)
			} else {
				m.add(x[v], total, total)
			}
		}
		m.fold(total, m.addAny)
		m.storeFirst(total, Mem{Base: sum})
		m.spread(total)
		for v := range x {
			m.div(total, x[v], x[v])
			to := Mem{Base: dst, Disp: v * m.bytes()}
			if v < vectors-1 {
				m.move(x[v], to)
			} else {
				m.storeTail(mask, x[v], to)
			}
		}
		ADDQ(stride, src)
		ADDQ(stride, dst)
		ADDQ(U8(m.size()), most)
		ADDQ(U8(m.size()), sum)
		DECQ(rows)
		JNZ(LabelRef("row"))
		done()
	}
}
