package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// mostColumns is the most columns of c that fewColumns computes at a time: the sums of a row are then one store.
const mostColumns = 4

// fewRows is how many rows of c stay in registers, by columns: beside their sums a vector of b a column, and one of a.
func (m machine) fewRows(columns int) int {
	if m.avx512 {
		return []int{2: 12, 3: 8, 4: 6}[columns]
	}
	return []int{2: 5, 3: 3, 4: 2}[columns]
}

// fewColumns emits products c = a·bᵀ + bias with up to four columns, as dot products of rows of a and b: of several rows, and of one.
// Strides are in bytes; of a tile's flags they know ReLU.
func fewColumns(m machine) {
	for columns := 1; columns <= mostColumns; columns++ {
		fewColumnsOf(m, 1, columns)
		if columns > 1 {
			most := m.fewRows(columns)
			table(m, "fewRows", fmt.Sprint(columns), fmt.Sprint(most))
			fewColumnsOf(m, most, columns)
		}
	}
}

func fewColumnsOf(m machine, rows, columns int) {
	t := m.element()
	name, field := m.name(fmt.Sprintf("few%dx%d", rows, columns)), "few"
	if rows == 1 {
		field = "fewOfRow"
	}
	function(name, fmt.Sprintf("func(k int, a *%[1]s, lda int, b *%[1]s, ldb int, c *%[1]s, ldc int, bias *%[1]s, flags int)", t))
	table(m, field, fmt.Sprint(columns), name)
	k := param("k")
	a := newStrided(param("a").(GPVirtual), param("lda").(GPVirtual), rows)
	b := newStrided(param("b").(GPVirtual), param("ldb").(GPVirtual), columns)
	sums := make([][]VecVirtual, rows)
	for i := range sums {
		for range columns {
			s := m.vec()
			m.zero(s)
			sums[i] = append(sums[i], s)
		}
	}
	step := func(load func(from Mem) VecVirtual) {
		var y []VecVirtual
		for j := range columns {
			y = append(y, load(b.row(j)))
		}
		for i := range sums {
			x := load(a.row(i))
			for j := range y {
				m.fma(x, y[j], sums[i][j])
			}
		}
	}
	CMPQ(k, U8(m.lanes()))
	JLT(LabelRef("rest"))
	Label("loop")
	step(func(from Mem) VecVirtual { return m.copied(from).(VecVirtual) })
	a.advance(U8(m.bytes()))
	b.advance(U8(m.bytes()))
	SUBQ(U8(m.lanes()), k)
	CMPQ(k, U8(m.lanes()))
	JGE(LabelRef("loop"))
	Label("rest")
	TESTQ(k, k)
	JZ(LabelRef("fold"))
	rest := m.tailOf(k)
	step(func(from Mem) VecVirtual {
		r := m.vec()
		m.loadTail(rest, from, r)
		return r
	})
	Label("fold")
	var out []Register
	for i := range sums {
		out = append(out, m.foldEach(sums[i]))
	}
	mask := m.firstLanes(columns)
	bias, flags := param("bias"), param("flags")
	TESTQ(bias, bias)
	JZ(LabelRef("biased"))
	x := m.short(m.vec())
	m.loadTail(mask, Mem{Base: bias}, x)
	for _, s := range out {
		m.addAny(x, s, s)
	}
	Label("biased")
	TESTQ(U32(flagReLU), flags)
	JZ(LabelRef("store"))
	zero := m.vec()
	m.zero(zero)
	for _, s := range out {
		if m.f32 { // keeps NaN
			VMAXPS(s, m.short(zero), s)
		} else {
			VMAXPD(s, m.short(zero), s)
		}
	}
	Label("store")
	c, ldc := param("c"), param("ldc")
	for i, s := range out {
		m.storeTail(mask, s, Mem{Base: c})
		if i < rows-1 {
			ADDQ(ldc, c)
		}
	}
	done()
}

// short is the part of a register that holds four elements.
func (m machine) short(r VecVirtual) Register {
	if m.f32 {
		return r.AsX()
	}
	return r.AsY()
}

// firstLanes is the mask of the first n of four lanes.
func (m machine) firstLanes(n int) tail {
	count := GP64()
	MOVQ(U32(n), count)
	mask := m.tailOf(count)
	if v, ok := mask.op.(VecVirtual); ok {
		return tail{m.short(v)}
	}
	return mask
}

// foldEach adds up the lanes of each of up to four registers, and returns the sums in the lanes of the first.
func (m machine) foldEach(sums []VecVirtual) Register {
	pairs := func(y, x VecVirtual) { // x: sums of one and of the other in turn
		low := m.vec()
		if m.f32 {
			VUNPCKLPS(y, x, low)
			VUNPCKHPS(y, x, x)
		} else {
			VUNPCKLPD(y, x, low)
			VUNPCKHPD(y, x, x)
		}
		m.addAny(low, x, x)
	}
	halve := func(x VecVirtual) { // 512 bits to 256
		if m.avx512 {
			high := ZMM()
			VEXTRACTF64X4(U8(1), x, high.AsY())
			m.addAny(high.AsY(), x.AsY(), x.AsY())
		}
	}
	quarter := func(x VecVirtual) { // 256 bits to 128
		high := m.vec()
		if m.avx512 { // reaches registers beyond 15
			VEXTRACTF32X4(U8(1), x.AsY(), high.AsX())
		} else {
			VEXTRACTF128(U8(1), x.AsY(), high.AsX())
		}
		m.addAny(high.AsX(), x.AsX(), x.AsX())
	}
	first := sums[0]
	if len(sums) == 1 {
		m.fold(first, m.addAny)
		return m.short(first)
	}
	pairs(sums[1], first)
	if len(sums) == 2 {
		halve(first)
		quarter(first)
		if m.f32 {
			high := m.vec()
			VPERMILPS(U8(0x4e), first.AsX(), high.AsX())
			m.addAny(high.AsX(), first.AsX(), first.AsX())
		}
		return m.short(first)
	}
	second := sums[2]
	pairs(sums[len(sums)-1], second)
	if m.f32 {
		low := m.vec()
		VUNPCKLPD(second, first, low)
		VUNPCKHPD(second, first, first)
		m.addAny(low, first, first)
		halve(first)
		quarter(first)
		return m.short(first)
	}
	halve(first)
	halve(second)
	low := m.vec()
	if m.avx512 {
		VSHUFF64X2(U8(0), second.AsY(), first.AsY(), low.AsY())
		VSHUFF64X2(U8(3), second.AsY(), first.AsY(), first.AsY())
	} else {
		VPERM2F128(U8(0x20), second.AsY(), first.AsY(), low.AsY())
		VPERM2F128(U8(0x31), second.AsY(), first.AsY(), first.AsY())
	}
	m.addAny(low.AsY(), first.AsY(), first.AsY())
	return m.short(first)
}
