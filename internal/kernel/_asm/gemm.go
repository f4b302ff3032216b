package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The micro-kernels of matrix products: a tile of c, rows × vectors, stays in registers while k runs.

// maxRows is the most rows a tile of two vectors has: rows*2 accumulators, 2 vectors of b, 2 elements of a.
func (m machine) maxRows() int {
	if m.avx512 {
		return 14
	}
	return 6
}

// widths lists, by vectors a row, the most rows of a tile.
func (m machine) widths() map[int]int {
	if m.avx512 {
		return map[int]int{1: 14, 2: 14, 4: 6, 8: 2}
	}
	return map[int]int{1: 6, 2: 6, 4: 2}
}

// strided gives the memory of row i, for rows stride bytes apart, from multiples of the stride made once.
type strided struct {
	low, high             GPVirtual
	stride, by3, by5, by7 GPVirtual
}

func newStrided(base, stride GPVirtual, rows int) strided {
	s := strided{low: base, stride: stride}
	if rows > 3 {
		s.by3 = GP64().(GPVirtual)
		LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, s.by3)
	}
	if rows > 5 {
		s.by5 = GP64().(GPVirtual)
		LEAQ(Mem{Base: stride, Index: stride, Scale: 4}, s.by5)
	}
	if rows > 7 {
		s.by7 = GP64().(GPVirtual)
		LEAQ(Mem{Base: s.by3, Index: stride, Scale: 4}, s.by7)
	}
	if rows > 8 {
		s.high = GP64().(GPVirtual)
		LEAQ(Mem{Base: base, Index: stride, Scale: 8}, s.high)
	}
	return s
}

func (s strided) row(i int) Mem {
	base := s.low
	if i >= 8 {
		base, i = s.high, i-8
	}
	switch i {
	case 0:
		return Mem{Base: base}
	case 1, 2, 4:
		return Mem{Base: base, Index: s.stride, Scale: uint8(i)}
	case 3, 6:
		return Mem{Base: base, Index: s.by3, Scale: uint8(i / 3)}
	case 5:
		return Mem{Base: base, Index: s.by5, Scale: 1}
	}
	return Mem{Base: base, Index: s.by7, Scale: 1}
}

func (s strided) advance(by Op) {
	ADDQ(by, s.low)
	if s.high != nil {
		ADDQ(by, s.high)
	}
}

// tiles emits every tile kernel. b lies in panels of two vectors a row, panel bytes apart and ldb bytes a row; the last
// panel holds columns elements, 1 to a panel's (one vector's where the tile is one vector wide). flags: 1 adds to c, 2 says
// that b is readable to the full width, 4 applies ReLU, 16 adds as many times the tile to c as bias, one number, says. Strides are in
// bytes.
func tiles(m machine) {
	table(m, "lanes", "", fmt.Sprint(m.lanes()))
	table(m, "maxRows", "", fmt.Sprint(m.maxRows()))
	for _, vectors := range []int{1, 2, 4, 8} {
		for rows := 1; rows <= m.widths()[vectors]; rows++ {
			tile(m, rows, vectors, false)
			if vectors == 2 {
				tile(m, rows, vectors, true)
			}
		}
	}
}

const (
	flagAdd  = 1
	flagFull = 2
	flagReLU = 4

	flagTwice  = 8 // of products on AMX tiles
	flagScaled = 16
)

func tile(m machine, rows, vectors int, packed bool) {
	stem, field := fmt.Sprintf("tile%dx%d", rows, vectors), fmt.Sprintf("tile[%d]", log2(vectors))
	if packed {
		stem, field = stem+"Packed", "tilePacked"
	}
	name, t := m.name(stem), m.element()
	function(name, fmt.Sprintf("func(k int, a *%[1]s, rowA, stepA int, b *%[1]s, ldb, panel int, c *%[1]s, ldc int, bias *%[1]s, columns, flags int)", t))
	table(m, field, fmt.Sprint(rows), name)
	bytes, size := m.bytes(), m.size()
	k := param("k")
	askForTile(k, rows, vectors*bytes)
	a := newStrided(param("a").(GPVirtual), param("rowA").(GPVirtual), rows)
	step, b, ldb := param("stepA"), param("b"), param("ldb")
	var panel, panel3 Register
	if vectors > 2 {
		panel = param("panel")
	}
	if vectors > 6 {
		panel3 = GP64()
		LEAQ(Mem{Base: panel, Index: panel, Scale: 2}, panel3)
	}
	sum := func(i, v int) VecPhysical { return m.fixed(i*vectors + v) }
	line := func(v int) VecPhysical { return m.fixed(rows*vectors + v) }
	free := rows*vectors + vectors
	registers := 32
	if !m.avx512 {
		registers = 16
	}
	spare := min(registers-free, 4)
	for i := range rows * vectors {
		m.zero(m.fixed(i))
	}
	lineMem := func(v int) Mem {
		mem := Mem{Base: b, Disp: v % 2 * bytes}
		switch v / 2 {
		case 1:
			mem.Index, mem.Scale = panel, 1
		case 2:
			mem.Index, mem.Scale = panel, 2
		case 3:
			mem.Index, mem.Scale = panel3, 1
		}
		return mem
	}
	last := func(v int) int { // 0: a whole vector; 1, 2: first or second of the last panel
		switch {
		case vectors == 1:
			return 1
		case v >= vectors-2:
			return v - vectors + 3
		}
		return 0
	}
	if m.avx512 {
		columns, bits := param("columns"), GP64()
		MOVQ(I32(-1), bits)
		BZHIQ(columns, bits, bits)
		KMOVW(bits.As32(), K1)
		SHRQ(U8(m.lanes()), bits)
		KMOVW(bits.As32(), K2)
	}
	masks := []Op{nil, K1, K2}
	product := func(element func(i int) Mem) {
		for i := range rows {
			x := m.fixed(free + i%spare)
			m.fill(element(i), x)
			for v := range vectors {
				m.fma(line(v), x, sum(i, v))
			}
		}
	}
	loop := func(label string, masked bool) {
		Label(label)
		for v := range vectors {
			if masked && last(v) > 0 {
				m.loadTail(tail{masks[last(v)]}, lineMem(v), line(v))
			} else {
				m.move(lineMem(v), line(v))
			}
			if vectors <= 2 {
				PREFETCHT0(Mem{Base: b, Index: ldb, Scale: 8, Disp: v * bytes})
			}
		}
		product(a.row)
		a.advance(step)
		ADDQ(ldb, b)
		DECQ(k)
		JNZ(LabelRef(label))
	}
	line2 := min(vectors, 2) * bytes // of b where it is packed
	const steps = 2
	// unrolled takes so many steps of k at a time, whose addresses are constants: additions take turns that multiply-adds need.
	unrolled := func(ldb int, element func(u, i int) Mem, advance func()) {
		count := GP64()
		MOVQ(k, count)
		SHRQ(U8(log2(steps)), count)
		JZ(LabelRef("rest"))
		Label("steps")
		for u := range steps {
			for v := range vectors {
				mem := lineMem(v)
				mem.Disp += u * ldb
				m.move(mem, line(v))
				mem.Disp += askAhead
				PREFETCHT0(mem)
			}
			product(func(i int) Mem { return element(u, i) })
		}
		advance()
		ADDQ(U32(steps*ldb), b)
		DECQ(count)
		JNZ(LabelRef("steps"))
		Label("rest")
		ANDQ(U8(steps-1), k)
		JZ(LabelRef("finish"))
	}
	flags := param("flags")
	if m.avx512 { // masked loads cost: whole ones where b allows
		TESTQ(U32(flagFull), flags)
		JZ(LabelRef("masked"))
	}
	if packed { // a holds rows elements a step, b two vectors
		unrolled(vectors*bytes, func(u, i int) Mem { return Mem{Base: a.low, Disp: size * (u*rows + i)} }, func() { ADDQ(U32(steps*size*rows), a.low) })
		if rows > 8 {
			LEAQ(Mem{Base: a.low, Index: a.stride, Scale: 8}, a.high)
		}
	} else { // a's rows as they lie, b packed
		CMPQ(step, U8(size))
		JNE(LabelRef("whole"))
		CMPQ(ldb, U32(line2))
		JNE(LabelRef("whole"))
		unrolled(line2, func(u, i int) Mem {
			mem := a.row(i)
			mem.Disp += size * u
			return mem
		}, func() { a.advance(U8(steps * size)) })
	}
	loop("whole", false)
	if m.avx512 {
		JMP(LabelRef("finish"))
		loop("masked", true)
	}
	Label("finish")
	scratch := m.fixed(registers - 1)
	if !m.avx512 {
		masks[1], masks[2] = m.fixed(free), m.fixed(rows*vectors)
		columns, at, lanes, table := param("columns"), GP64(), GP64(), GP64()
		LEAQ(tailTable().Offset(32), table)
		// first mask: min(columns, lanes) ones; second: the rest
		MOVQ(U32(m.lanes()), lanes)
		MOVQ(columns, at)
		CMPQ(at, lanes)
		CMOVQGT(lanes, at)
		SUBQ(at, columns)
		NEGQ(at)
		NEGQ(columns)
		VMOVUPS(Mem{Base: table, Index: at, Scale: uint8(size)}, masks[1])
		VMOVUPS(Mem{Base: table, Index: columns, Scale: uint8(size)}, masks[2])
	}
	load := func(mem Mem, v int, to Op) {
		if last(v) > 0 {
			m.loadTail(tail{masks[last(v)]}, mem, to)
		} else {
			m.move(mem, to)
		}
	}
	c, ldc, bias := param("c"), param("ldc"), param("bias")
	each := func(do func(i, v int)) { // with what is in c
		p := GP64()
		MOVQ(c, p)
		for i := range rows {
			for v := range vectors {
				load(Mem{Base: p, Disp: v * bytes}, v, scratch)
				do(i, v)
			}
			if i < rows-1 {
				ADDQ(ldc, p)
			}
		}
	}
	TESTQ(U32(flagScaled), flags)
	JZ(LabelRef("unscaled"))
	scale := line(1) // masks lie beside it
	if vectors == 1 {
		scale = m.fixed(free + 1)
	}
	m.fill(Mem{Base: bias}, scale)
	each(func(i, v int) { m.mulAdd(scratch, scale, sum(i, v)) })
	JMP(LabelRef("store"))
	Label("unscaled")
	TESTQ(U32(flagAdd), flags)
	JZ(LabelRef("added"))
	each(func(i, v int) { m.add(scratch, sum(i, v), sum(i, v)) })
	Label("added")
	TESTQ(bias, bias)
	JZ(LabelRef("biased"))
	for v := range vectors {
		load(Mem{Base: bias, Disp: v * bytes}, v, scratch)
		for i := range rows {
			m.add(scratch, sum(i, v), sum(i, v))
		}
	}
	Label("biased")
	TESTQ(U32(flagReLU), flags)
	JZ(LabelRef("store"))
	m.zero(scratch)
	for i := range rows * vectors {
		m.max(m.fixed(i), scratch, m.fixed(i)) // keeps NaN
	}
	Label("store")
	for i := range rows {
		for v := range vectors {
			mem := Mem{Base: c, Disp: v * bytes}
			if last(v) > 0 {
				m.storeTail(tail{masks[last(v)]}, sum(i, v), mem)
			} else {
				m.move(sum(i, v), mem)
			}
		}
		if i < rows-1 {
			ADDQ(ldc, c)
		}
	}
	done()
}

// askForTile has the lines of c come while k runs: a tile's stores, which are done in order, would wait for each in turn.
func askForTile(k Register, rows, bytes int) {
	const enough = 48 // elements of k: of fewer, asking takes longer than waiting
	CMPQ(k, U8(enough))
	JL(LabelRef("asked"))
	c, ldc := param("c"), param("ldc")
	for i := range rows {
		for x := 0; x < bytes; x += lineBytes {
			PREFETCHT0(Mem{Base: c, Disp: x})
		}
		if i < rows-1 {
			ADDQ(ldc, c)
		}
	}
	Label("asked")
}

// askAhead is how far ahead b is asked for, in bytes: it comes from the second-level cache, or the third, whose lines the processor asks
// for too late, mostly where few tiles read a panel.
const askAhead = 2048

// lineBytes are those of a line of the caches.
const lineBytes = 64

func log2(n int) (l int) {
	for n > 1 {
		n /= 2
		l++
	}
	return l
}

// peak runs 12 independent fused multiply-adds n times: what a core can do at most, for benchmarks to compare with.
func peak(m machine) {
	name := m.name("peak")
	function(name, "func(n int)")
	table(m, "peak", "", name)
	n := param("n")
	for i := range 14 {
		m.zero(m.fixed(i))
	}
	Label("loop")
	for i := range peakChains {
		m.fma(m.fixed(13), m.fixed(12), m.fixed(i))
	}
	DECQ(n)
	JNZ(LabelRef("loop"))
	done()
}

const peakChains = 12
