package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The micro-kernels of convolutions. A kernel's tap reads the whole (padded) image shifted by a fixed distance, so a
// convolution is a matrix product whose row k of b begins offsets[k] bytes from b: nothing is copied per tap. Vectors are
// read and written whole; the caller leaves room behind each row.

func convolutions(m machine) {
	for _, vectors := range []int{1, 2, 4} {
		for rows := 1; rows <= m.widths()[vectors]; rows++ {
			slide(m, rows, vectors)
		}
	}
	for rows := 1; rows <= m.dotRows(); rows++ {
		slideDots(m, rows)
	}
}

// slide computes rows × vectors of c: the sum over k of a, packed with rows elements a step, times the row of b at
// offsets[k]. bias is one element a row, or nil. flags are those of the tiles of matrix products.
func slide(m machine, rows, vectors int) {
	t := m.element()
	name := m.name(fmt.Sprintf("slide%dx%d", rows, vectors))
	function(name, fmt.Sprintf("func(k int, a, b *%[1]s, offsets *int, c *%[1]s, ldc int, bias *%[1]s, flags int)", t))
	table(m, fmt.Sprintf("slide[%d]", log2(vectors)), fmt.Sprint(rows), name)
	bytes, size := m.bytes(), m.size()
	sum := func(i, v int) VecPhysical { return m.fixed(i*vectors + v) }
	line := func(v int) VecPhysical { return m.fixed(rows*vectors + v) }
	free := rows*vectors + vectors
	registers := 32
	if !m.avx512 {
		registers = 16
	}
	spare := min(registers-free, 4)
	k, a, b, offsets := param("k"), param("a"), param("b"), param("offsets")
	c, ldc, flags, bias := param("c"), param("ldc"), param("flags"), param("bias")
	for i := range rows * vectors {
		m.zero(m.fixed(i))
	}
	TESTQ(bias, bias)
	JZ(LabelRef("started"))
	for i := range rows {
		m.fill(Mem{Base: bias, Disp: i * size}, sum(i, 0))
		for v := 1; v < vectors; v++ {
			m.move(sum(i, 0), sum(i, v))
		}
	}
	Label("started")
	p := GP64()
	Label("loop")
	MOVQ(Mem{Base: offsets}, p)
	for v := range vectors {
		m.move(Mem{Base: b, Index: p, Scale: 1, Disp: v * bytes}, line(v))
	}
	for i := range rows {
		x := m.fixed(free + i%spare)
		m.fill(Mem{Base: a, Disp: i * size}, x)
		for v := range vectors {
			m.fma(line(v), x, sum(i, v))
		}
	}
	ADDQ(U32(rows*size), a)
	ADDQ(U8(8), offsets)
	DECQ(k)
	JNZ(LabelRef("loop"))
	TESTQ(U32(flagAdd), flags)
	JZ(LabelRef("added"))
	MOVQ(c, p)
	for i := range rows {
		for v := range vectors {
			m.add(Mem{Base: p, Disp: v * bytes}, sum(i, v), sum(i, v))
		}
		ADDQ(ldc, p)
	}
	Label("added")
	TESTQ(U32(flagReLU), flags)
	JZ(LabelRef("store"))
	zero := m.fixed(registers - 1)
	m.zero(zero)
	for i := range rows * vectors {
		m.max(m.fixed(i), zero, m.fixed(i)) // keeps NaN
	}
	Label("store")
	for i := range rows {
		for v := range vectors {
			m.move(sum(i, v), Mem{Base: c, Disp: v * bytes})
		}
		ADDQ(ldc, c)
	}
	done()
}

// slideDots computes rows×4 sums of products over vectors whole vectors of each of images images: rows of a, lda bytes
// apart, times the four rows of b at offsets. It adds four sums a row to out, rows ldo bytes apart.
func slideDots(m machine, rows int) {
	t := m.element()
	name := m.name(fmt.Sprintf("slideDots%d", rows))
	function(name, fmt.Sprintf("func(vectors int, a *%[1]s, lda int, b *%[1]s, offsets *int, images, strideA, strideB int, out *%[1]s, ldo int)", t))
	table(m, "slideDots", fmt.Sprint(rows), name)
	const columns = 4
	a := newStrided(param("a").(GPVirtual), param("lda").(GPVirtual), rows)
	var b [columns]Register
	base, offsets := param("b"), param("offsets")
	for j := range b {
		b[j] = GP64()
		MOVQ(Mem{Base: offsets, Disp: 8 * j}, b[j])
		ADDQ(base, b[j])
	}
	sums := make([][columns]Register, rows)
	for i := range sums {
		for j := range sums[i] {
			sums[i][j] = m.vec()
			m.zero(sums[i][j])
		}
	}
	images := param("images")
	Label("image")
	at := GP64()
	XORQ(at, at)
	length := param("vectors")
	SHLQ(U8(map[int]int{32: 5, 64: 6}[m.bytes()]), length)
	Label("loop")
	var y [columns]Register
	for j := range y {
		y[j] = m.copied(Mem{Base: b[j], Index: at, Scale: 1})
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
	a.advance(U8(m.bytes()))
	ADDQ(U8(m.bytes()), at)
	CMPQ(at, length)
	JNE(LabelRef("loop"))
	stride := param("strideA")
	SUBQ(at, stride)
	a.advance(stride)
	stride = param("strideB")
	for j := range b {
		ADDQ(stride, b[j])
	}
	DECQ(images)
	JNZ(LabelRef("image"))
	out, ldo := param("out"), param("ldo")
	for i := range sums {
		four := m.folded(sums[i])
		m.addFour(Mem{Base: out}, four)
		ADDQ(ldo, out)
	}
	done()
}

// folded gives a register whose first four lanes are the sums of four registers' lanes.
func (m machine) folded(x [4]Register) Register {
	pair := func(low, high func(...Op), y, z Register) Register { // the sums of neighbours, y's and z's in turn
		a, b := m.vec(), m.vec()
		low(z, y, a)
		high(z, y, b)
		m.addAny(a, b, a)
		return a
	}
	if m.f32 {
		t := pair(VUNPCKLPS, VUNPCKHPS, x[0], x[1])
		u := pair(VUNPCKLPS, VUNPCKHPS, x[2], x[3])
		s := pair(VUNPCKLPD, VUNPCKHPD, t, u) // each quarter holds a share of the four sums
		return m.halved(s)
	}
	t := m.halved(pair(VUNPCKLPD, VUNPCKHPD, x[0], x[1]))
	u := m.halved(pair(VUNPCKLPD, VUNPCKHPD, x[2], x[3]))
	low, high := t.(VecVirtual).AsY(), u.(VecVirtual).AsX()
	if m.avx512 { // any of 32 registers
		VINSERTF32X4(U8(1), high, low, low)
	} else {
		VINSERTF128(U8(1), high, low, low)
	}
	return t
}

// halved adds the upper half of a register to the lower until 16 bytes are left.
func (m machine) halved(x Register) Register {
	v := x.(VecVirtual)
	if m.avx512 {
		h := YMM()
		VEXTRACTF64X4(U8(1), v.AsZ(), h)
		m.addAny(h, v.AsY(), v.AsY())
	}
	h := XMM()
	if m.avx512 {
		VEXTRACTF32X4(U8(1), v.AsY(), h)
	} else {
		VEXTRACTF128(U8(1), v.AsY(), h)
	}
	m.addAny(h, v.AsX(), v.AsX())
	return x
}

// addFour adds the first four lanes of a register to memory.
func (m machine) addFour(mem Mem, x Register) {
	v := x.(VecVirtual)
	if m.f32 {
		m.addAny(mem, v.AsX(), v.AsX())
		VMOVUPS(v.AsX(), mem)
		return
	}
	m.addAny(mem, v.AsY(), v.AsY())
	VMOVUPD(v.AsY(), mem)
}
