package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// pooling emits the most usual pools: the maximum, and the mean, of squares of two, dst (rows, n) of src (2·rows, width). NaN is the
// maximum of what it is in.
func pooling(m machine) {
	squares(m, "maxSquares", m.maximum, func(Register) {})
	squares(m, "meanSquares", func(x, y Register) Register {
		m.add(y, x, x)
		return x
	}, func(x Register) { m.mul(m.constant(0.25), x, x) })
}

// squares emits the pool that joins the four elements of a square, and finishes what they give.
func squares(m machine, stem string, join func(x, y Register) Register, finish func(x Register)) {
	name := m.name(stem)
	function(name, "func(rows, n int, dst, src *"+m.element()+", width int)")
	table(m, stem, "", name)
	rows, n, dst, src, width := param("rows"), param("n"), param("dst"), param("src"), param("width")
	line, size := GP64(), GP64() // bytes of a line of src and of dst
	MOVQ(width, line)
	SHLQ(U8(m.shift()), line)
	MOVQ(n, size)
	SHLQ(U8(m.shift()), size)
	below := GP64()
	twice := GP64() // elements read of a line
	LEAQ(Mem{Base: n, Index: n, Scale: 1}, twice)
	parts := m.newSplitter()
	Label("row")
	LEAQ(Mem{Base: src, Index: line, Scale: 1}, below)
	to, from, left := GP64(), GP64(), GP64() // elements of dst and src, and those left of src
	XORQ(to, to)
	XORQ(from, from)
	MOVQ(twice, left)
	lanes := m.lanes()
	at := func(base, index Register, v int) Mem {
		return Mem{Base: base, Index: index, Scale: uint8(m.size()), Disp: v * m.bytes()}
	}
	step := func(load func(v int, base Register) Register, store func(x Register)) {
		var pair [2]Register
		for v := range pair {
			pair[v] = join(load(v, src), load(v, below))
		}
		even, odd := parts.split(pair[0], pair[1])
		x := join(even, odd)
		finish(x)
		store(x)
	}
	Label("whole")
	CMPQ(left, I32(int32(2*lanes)))
	JLT(LabelRef("rest"))
	step(func(v int, base Register) Register { return m.copied(at(base, from, v)) },
		func(x Register) { m.move(x, at(dst, to, 0)) })
	ADDQ(I32(int32(lanes)), to)
	ADDQ(I32(int32(2*lanes)), from)
	SUBQ(I32(int32(2*lanes)), left)
	JMP(LabelRef("whole"))
	Label("rest")
	TESTQ(left, left)
	JZ(LabelRef("next"))
	// the rest of src in two masks, the second of them empty where the first is not whole
	one, other, half, full, none := GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(I32(int32(lanes)), full)
	XORQ(none, none)
	MOVQ(left, one)
	CMPQ(one, full)
	CMOVQGT(full, one)
	MOVQ(left, other)
	SUBQ(full, other)
	CMOVQLT(none, other)
	MOVQ(left, half)
	SHRQ(U8(1), half)
	masks := [2]tail{m.tailOf(one), m.tailOf(other)}
	out := m.tailOf(half)
	step(func(v int, base Register) Register {
		r := m.vec()
		m.loadTail(masks[v], at(base, from, v), r)
		return r
	}, func(x Register) { m.storeTail(out, x, at(dst, to, 0)) })
	Label("next")
	LEAQ(Mem{Base: src, Index: line, Scale: 2}, src)
	ADDQ(size, dst)
	DECQ(rows)
	JNZ(LabelRef("row"))
	done()
}

// maximum is the larger of two numbers, NaN where one is NaN.
func (m machine) maximum(x, y Register) Register {
	r := m.vec()
	m.max(y, x, r) // y where either is NaN
	m.choose(m.compare(unordered, x, x), x, r, r)
	return r
}

// splitter parts the elements at even and at odd places of two vectors.
type splitter struct {
	m         machine
	even, odd Register // indices, in AVX-512
}

func (m machine) newSplitter() splitter {
	s := splitter{m: m}
	if !m.avx512 {
		return s
	}
	for i, r := range []*Register{&s.even, &s.odd} {
		name := m.name("indices") + []string{"Even", "Odd"}[i]
		if _, ok := constants[name]; !ok {
			constants[name] = GLOBL(name, RODATA|NOPTR)
			for l := range m.lanes() {
				if m.f32 {
					DATA(l*4, U32(uint32(2*l+i)))
				} else {
					DATA(l*8, U64(uint64(2*l+i)))
				}
			}
		}
		*r = m.vec()
		m.move(constants[name], *r)
	}
	return s
}

func (s splitter) split(x, y Register) (even, odd Register) {
	m := s.m
	switch {
	case m.avx512:
		even, odd = m.copied(s.even), m.copied(s.odd)
		for _, r := range []Register{even, odd} {
			if m.f32 {
				VPERMI2PS(y, x, r)
			} else {
				VPERMI2PD(y, x, r)
			}
		}
	case m.f32:
		even, odd = m.vec(), m.vec()
		VSHUFPS(U8(0x88), y, x, even)
		VSHUFPS(U8(0xdd), y, x, odd)
		VPERMPD(U8(0xd8), even, even)
		VPERMPD(U8(0xd8), odd, odd)
	default:
		even, odd = m.vec(), m.vec()
		VUNPCKLPD(y, x, even)
		VUNPCKHPD(y, x, odd)
		VPERMPD(U8(0xd8), even, even)
		VPERMPD(U8(0xd8), odd, odd)
	}
	return even, odd
}
