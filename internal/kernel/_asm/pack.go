package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// packing emits the copies that bring operands into the order the tiles read, and dot products for few rows. Strides are
// in bytes.
func packing(m machine) {
	copyRows(m)
	copySeconds(m)
	askForRows(m)
	transpose(m)
	table(m, "maxDots", "", fmt.Sprint(m.dotRows()))
	for rows := 1; rows <= m.dotRows(); rows++ {
		dots(m, rows)
	}
}

// copyRows copies k rows of columns elements (1 to two vectors), each padded with zeros to width elements when stored.
func copyRows(m machine) {
	t := m.element()
	name := m.name("copyRows")
	function(name, fmt.Sprintf("func(k int, dst *%[1]s, dstStride int, src *%[1]s, srcStride, columns, width int)", t))
	table(m, "copyRows", "", name)
	k, d, ds, s, ss := param("k"), param("dst"), param("dstStride"), param("src"), param("srcStride")
	mask := func(name string) [2]tail {
		n, lanes, zero := param(name), GP64(), GP64()
		MOVQ(U32(m.lanes()), lanes)
		first, second := GP64(), GP64()
		MOVQ(n, first)
		CMPQ(first, lanes)
		CMOVQGT(lanes, first)
		MOVQ(n, second)
		SUBQ(lanes, second)
		XORQ(zero, zero)
		TESTQ(second, second)
		CMOVQLT(zero, second)
		return [2]tail{m.tailOf(first), m.tailOf(second)}
	}
	from, to := mask("columns"), mask("width")
	Label("loop")
	x, y := m.vec(), m.vec()
	m.loadTail(from[0], Mem{Base: s}, x)
	m.loadTail(from[1], Mem{Base: s, Disp: m.bytes()}, y)
	m.storeTail(to[0], x, Mem{Base: d})
	m.storeTail(to[1], y, Mem{Base: d, Disp: m.bytes()})
	ADDQ(ss, s)
	ADDQ(ds, d)
	DECQ(k)
	JNZ(LabelRef("loop"))
	done()
}

// copySeconds copies every second element of k rows, 1 to a vector of them from each.
func copySeconds(m machine) {
	t := m.element()
	name := m.name("copySeconds")
	function(name, fmt.Sprintf("func(k int, dst *%[1]s, dstStride int, src *%[1]s, srcStride, columns int)", t))
	table(m, "copySeconds", "", name)
	k, d, ds, s, ss := param("k"), param("dst"), param("dstStride"), param("src"), param("srcStride")
	columns, lanes, first, second, zero := param("columns"), GP64(), GP64(), GP64(), GP64()
	to := m.tailOf(columns)
	LEAQ(Mem{Base: columns, Index: columns, Scale: 1, Disp: -1}, second) // up to the last that is taken
	MOVQ(U32(m.lanes()), lanes)
	MOVQ(second, first)
	CMPQ(first, lanes)
	CMOVQGT(lanes, first)
	XORQ(zero, zero)
	SUBQ(lanes, second)
	CMOVQLT(zero, second)
	from := [2]tail{m.tailOf(first), m.tailOf(second)}
	even := K()
	if m.avx512 {
		bits := GP32()
		MOVL(U32(0x5555), bits)
		KMOVW(bits, even)
	}
	Label("loop")
	x, y := m.vec(), m.vec()
	m.loadTail(from[0], Mem{Base: s}, x)
	m.loadTail(from[1], Mem{Base: s, Disp: m.bytes()}, y)
	m.seconds(x, y, even)
	m.storeTail(to, x, Mem{Base: d})
	ADDQ(ss, s)
	ADDQ(ds, d)
	DECQ(k)
	JNZ(LabelRef("loop"))
	done()
}

// seconds sets x to every second element of x and y.
func (m machine) seconds(x, y VecVirtual, even Op) {
	switch {
	case m.avx512 && m.f32:
		VCOMPRESSPS_Z(x, even, x)
		VCOMPRESSPS_Z(y, even, y)
		VINSERTF64X4(U8(1), y.AsY(), x, x)
	case m.avx512:
		VCOMPRESSPD_Z(x, even, x)
		VCOMPRESSPD_Z(y, even, y)
		VINSERTF64X4(U8(1), y.AsY(), x, x)
	case m.f32:
		VSHUFPS(U8(0x88), y, x, x)
		VPERMPD(U8(0xd8), x, x)
	default:
		VUNPCKLPD(y, x, x)
		VPERMPD(U8(0xd8), x, x)
	}
}

// askForRows has rows of some lines each come to the second-level cache.
func askForRows(m machine) {
	t := m.element()
	name := m.name("askForRows")
	function(name, fmt.Sprintf("func(rows int, src *%s, stride, lines int)", t))
	table(m, "askForRows", "", name)
	rows, row, stride, lines := param("rows"), param("src"), param("stride"), param("lines")
	line, left := GP64(), GP64()
	TESTQ(rows, rows)
	JLE(LabelRef("end"))
	Label("row")
	MOVQ(row, line)
	MOVQ(lines, left)
	Label("line")
	PREFETCHT1(Mem{Base: line})
	ADDQ(U8(lineBytes), line)
	DECQ(left)
	JNZ(LabelRef("line"))
	ADDQ(stride, row)
	DECQ(rows)
	JNZ(LabelRef("row"))
	Label("end")
	done()
}

// transpose turns blocks squares of lanes×lanes elements: src has lanes rows, of which those from rows on repeat the last;
// of each row of dst the first width elements are written.
func transpose(m machine) {
	t := m.element()
	name := m.name("transpose")
	function(name, fmt.Sprintf("func(blocks int, dst *%[1]s, dstStride int, src *%[1]s, srcStride, rows, width int)", t))
	table(m, "transpose", "", name)
	n := m.lanes()
	blocks, d, ds := param("blocks"), param("dst"), param("dstStride")
	s, ss, rows := param("src"), param("srcStride"), param("rows")
	mask := m.tailOf(param("width"))
	Label("loop")
	p, next := GP64(), GP64()
	MOVQ(s, p)
	x := make([]Op, n)
	for i := range x {
		r := m.vec()
		m.move(Mem{Base: p}, r)
		x[i] = r
		if i < n-1 {
			LEAQ(Mem{Base: p, Index: ss, Scale: 1}, next)
			CMPQ(rows, U8(i+1))
			CMOVQGT(next, p)
		}
	}
	for _, r := range m.transposed(x) {
		m.storeTail(mask, r, Mem{Base: d})
		ADDQ(ds, d)
	}
	ADDQ(U8(m.bytes()), s)
	DECQ(blocks)
	JNZ(LabelRef("loop"))
	done()
}

// transposed returns the columns of a square of registers.
func (m machine) transposed(x []Op) []Op {
	n := len(x)
	pair := func(f func(...Op), y, z Op) Op {
		r := m.vec()
		f(y, z, r)
		return r
	}
	unpack := func(low, high func(...Op), x []Op, distance int) []Op {
		y := make([]Op, n)
		for g := 0; g < n; g += 2 * distance {
			for i := range distance {
				y[g+2*i] = pair(low, x[g+i+distance], x[g+i])
				y[g+2*i+1] = pair(high, x[g+i+distance], x[g+i])
			}
		}
		return y
	}
	switch {
	case m.f32:
		// rows 2i, 2i+1 by elements, then pairs by twos: 4g+c holds rows 4g..4g+3 of columns 4*lane+c
		x = unpack(VUNPCKLPS, VUNPCKHPS, x, 1)
		y := make([]Op, n)
		for g := 0; g < n; g += 4 {
			y[g] = pair(VUNPCKLPD, x[g+2], x[g])
			y[g+1] = pair(VUNPCKHPD, x[g+2], x[g])
			y[g+2] = pair(VUNPCKLPD, x[g+3], x[g+1])
			y[g+3] = pair(VUNPCKHPD, x[g+3], x[g+1])
		}
		x = y
	default:
		x = unpack(VUNPCKLPD, VUNPCKHPD, x, 1) // 2g+c holds rows 2g, 2g+1 of columns 2*lane+c
	}
	group := 4
	if !m.f32 {
		group = 2
	}
	out := make([]Op, n)
	lanePick := func(y, z Op, imm512, imm256 uint8) Op {
		r := m.vec()
		if m.avx512 {
			VSHUFF64X2(U8(imm512), z, y, r)
		} else {
			VPERM2F128(U8(imm256), z, y, r)
		}
		return r
	}
	for c := range group {
		if !m.avx512 { // two lanes, two groups
			out[c] = lanePick(x[c], x[group+c], 0, 0x20)
			out[group+c] = lanePick(x[c], x[group+c], 0, 0x31)
			continue
		}
		even01 := lanePick(x[c], x[group+c], 0x88, 0)
		odd01 := lanePick(x[c], x[group+c], 0xdd, 0)
		even23 := lanePick(x[2*group+c], x[3*group+c], 0x88, 0)
		odd23 := lanePick(x[2*group+c], x[3*group+c], 0xdd, 0)
		out[c] = lanePick(even01, even23, 0x88, 0)
		out[2*group+c] = lanePick(even01, even23, 0xdd, 0)
		out[group+c] = lanePick(odd01, odd23, 0x88, 0)
		out[3*group+c] = lanePick(odd01, odd23, 0xdd, 0)
	}
	return out
}

// dotRows is the most rows of a that dots takes: rows*4 accumulators and 4 vectors of b.
func (m machine) dotRows() int {
	if m.avx512 {
		return 6
	}
	return 3
}

// dots computes rows×4 dot products of k elements, rows lda and ldb bytes apart, into out, four a row of a.
func dots(m machine, rows int) {
	t := m.element()
	name := m.name(fmt.Sprintf("dots%d", rows))
	function(name, fmt.Sprintf("func(k int, a *%[1]s, lda int, b *%[1]s, ldb int, out *%[1]s)", t))
	table(m, "dots", fmt.Sprint(rows), name)
	const columns = 4
	k := param("k")
	a := newStrided(param("a").(GPVirtual), param("lda").(GPVirtual), rows)
	b := newStrided(param("b").(GPVirtual), param("ldb").(GPVirtual), columns)
	sums := make([][columns]Register, rows)
	for i := range sums {
		for j := range sums[i] {
			sums[i][j] = m.vec()
			m.zero(sums[i][j])
		}
	}
	step := func() {
		var y [columns]Register
		for j := range y {
			y[j] = m.copied(b.row(j))
		}
		for i := range sums {
			var x Op = a.row(i)
			if rows == 1 {
				x = m.copied(x)
			}
			for j := range y {
				m.fma(x, y[j], sums[i][j])
			}
		}
	}
	part := func(t tail) { // short of registers in AVX2
		for j := range columns {
			y := m.vec()
			m.loadTail(t, b.row(j), y)
			for i := range sums {
				x := m.vec()
				m.loadTail(t, a.row(i), x)
				m.fma(x, y, sums[i][j])
			}
		}
	}
	Label("loop")
	CMPQ(k, U8(m.lanes()))
	JLT(LabelRef("rest"))
	step()
	a.advance(U8(m.bytes()))
	b.advance(U8(m.bytes()))
	SUBQ(U8(m.lanes()), k)
	JMP(LabelRef("loop"))
	Label("rest")
	TESTQ(k, k)
	JZ(LabelRef("fold"))
	part(m.tailOf(k))
	Label("fold")
	out := param("out")
	for i := range sums {
		for j, s := range sums[i] {
			m.fold(s, m.addAny)
			at := Mem{Base: out, Disp: m.size() * (columns*i + j)}
			m.storeFirst(s, at)
		}
	}
	done()
}

// addAny adds registers of any width.
func (m machine) addAny(y, x, d Op) {
	if m.f32 {
		VADDPS(y, x, d)
	} else {
		VADDPD(y, x, d)
	}
}
