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

// rowSum adds up a row in the order of PyTorch's AVX-512 code, on any machine: 64 bytes of lanes, element i in lane i modulo their
// number, then the lanes in halves; a row shorter than that one by one.
type rowSum []Register

const rowBytes = 64

// rowVectors is how many vectors hold the lanes.
func (m machine) rowVectors() int { return rowBytes / m.bytes() }

func (m machine) newRowSum() rowSum {
	s := make(rowSum, m.rowVectors())
	for i := range s {
		s[i] = m.vec()
		m.zero(s[i])
	}
	return s
}

// rowLoop runs body over n elements; it gets the number of the vector within a step, and of the lanes it belongs to.
func (m machine) rowLoop(label string, n Register, operands []Register, body func(p pointers, vector, lanes int, t *tail)) {
	if m.rowVectors() == 1 {
		m.loop(label, n, 2, operands, func(p pointers, v int, t *tail) { body(p, v, 0, t) })
		return
	}
	index, rest := GP64(), GP64()
	XORQ(index, index)
	MOVQ(n, rest)
	p := pointers{m, m.lanes(), index, operands}
	both, one := I32(int32(2*m.lanes())), I32(int32(m.lanes()))
	Label(label + "Both")
	CMPQ(rest, both)
	JLT(LabelRef(label + "Rest"))
	body(p, 0, 0, nil)
	body(p, 1, 1, nil)
	ADDQ(both, index)
	SUBQ(both, rest)
	JMP(LabelRef(label + "Both"))
	Label(label + "Rest")
	CMPQ(rest, one)
	JLT(LabelRef(label + "First"))
	body(p, 0, 0, nil)
	ADDQ(one, index)
	SUBQ(one, rest)
	second := m.tailOf(rest)
	body(p, 0, 1, &second)
	JMP(LabelRef(label + "Done"))
	Label(label + "First")
	first := m.tailOf(rest)
	body(p, 0, 0, &first)
	Label(label + "Done")
}

// total adds up the lanes of a row of n elements, those that it doesn't reach being 0, into the first lane of a register.
func (m machine) total(label string, s rowSum, n Register) Register {
	sum := m.vec()
	CMPQ(n, I32(rowBytes/int32(m.size())))
	JLT(LabelRef(label + "Short"))
	m.move(s[0], sum)
	for _, other := range s[1:] {
		m.add(other, sum, sum)
	}
	m.fold(sum, m.addAny)
	JMP(LabelRef(label + "Done"))
	Label(label + "Short")
	m.zero(sum)
	lane := XMM()
	lanes := 16 / m.size() // of a quarter
	for quarter := range len(s) * m.bytes() / 16 {
		if quarter > 0 {
			CMPQ(n, I32(int32(quarter*lanes)))
			JLE(LabelRef(label + "Done"))
		}
		x := s[quarter*16/m.bytes()]
		switch at := quarter * 16 % m.bytes() / 16; {
		case at == 0:
			VMOVUPS(x.(Vec).AsX(), lane)
		case m.avx512:
			VEXTRACTF32X4(U8(uint8(at)), x, lane)
		default:
			VEXTRACTF128(U8(uint8(at)), x, lane)
		}
		for i := range lanes {
			if i > 0 {
				m.rotate(lane)
			}
			m.addFirst(lane, sum)
		}
	}
	Label(label + "Done")
	return sum
}

// rotate moves every lane of 16 bytes one down.
func (m machine) rotate(x Register) {
	if m.f32 {
		VPERMILPS(U8(0x39), x, x)
	} else {
		VPERMILPD(U8(1), x, x)
	}
}

// addFirst adds the first lane of x to that of d.
func (m machine) addFirst(x, d Register) {
	if m.f32 {
		VADDSS(x, d.(Vec).AsX(), d.(Vec).AsX())
	} else {
		VADDSD(x, d.(Vec).AsX(), d.(Vec).AsX())
	}
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
		sum := m.newRowSum()
		m.rowLoop("exp", n, operands, func(p pointers, v, lanes int, tl *tail) {
			x := m.load(p, 0, v, tl)
			m.sub(most[0], x, x)
			e := m.exp(x)
			if tl != nil {
				m.keepTail(*tl, e)
			}
			m.add(e, sum[lanes], sum[lanes])
			if stored {
				m.store(e, p, 1, v, tl)
			}
		})
		m.result(m.total("total", sum, n), 1)
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
		lanes := m.newRowSum()
		m.rowLoop("sum", n, operands, func(p pointers, v, at int, tl *tail) {
			g := m.load(p, 1, v, tl)
			if !logarithm {
				m.mul(m.load(p, 2, v, tl), g, g)
			}
			m.add(g, lanes[at], lanes[at])
		})
		sum := m.total("total", lanes, n)
		m.spread(sum)
		m.loop("apply", n, 2, operands, func(p pointers, v int, tl *tail) {
			g, y := m.load(p, 1, v, tl), m.load(p, 2, v, tl)
			if logarithm {
				m.fnma(m.exp(y), sum, g)
			} else {
				m.sub(sum, g, g)
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
// behind the next: dst = exp(src-most)·(1/sum), and each row's most and sum.
func narrowRows(m machine) {
	t := m.element()
	for vectors := 1; vectors <= 2; vectors++ {
		name := m.name(fmt.Sprintf("narrowSoftmax%d", vectors))
		function(name, "func(rows, n int, dst, src, most, sum *"+t+")")
		table(m, "narrowSoftmax", fmt.Sprint(vectors), name)
		rows, n, dst, src := param("rows"), param("n"), param("dst"), param("src")
		most, sum := param("most"), param("sum")
		stride, whole := GP64(), GP64()
		MOVQ(n, whole)
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
		var lanes rowSum
		for v := range x {
			m.sub(high, x[v], x[v])
			x[v] = m.exp(x[v])
			if v == vectors-1 {
				m.keepTail(mask, x[v])
			}
			if v < m.rowVectors() {
				lanes = append(lanes, m.copied(x[v]))
			} else {
				m.add(x[v], lanes[0], lanes[0])
			}
		}
		total := m.total("total", lanes, whole)
		m.storeFirst(total, Mem{Base: sum})
		m.spread(total)
		factor := m.filled(1)
		m.div(total, factor, factor)
		for v := range x {
			m.mul(factor, x[v], x[v])
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
