package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// machine is an instruction set and an element type; its methods emit the same operation for each of the four.
type machine struct {
	avx512 bool
	f32    bool
}

var machines = []machine{{true, true}, {true, false}, {false, true}, {false, false}}

// element is Go's name of the element type.
func (m machine) element() string {
	if m.f32 {
		return "float32"
	}
	return "float64"
}

// name makes a function's name: the same stem with the machine after it.
func (m machine) name(stem string) string {
	isa := "AVX2"
	if m.avx512 {
		isa = "AVX512"
	}
	return fmt.Sprintf("%sF%d%s", stem, 8*m.size(), isa)
}

func (m machine) size() int {
	if m.f32 {
		return 4
	}
	return 8
}

func (m machine) bytes() int {
	if m.avx512 {
		return 64
	}
	return 32
}

func (m machine) lanes() int { return m.bytes() / m.size() }

func (m machine) shift() int { // log2 of the element size
	if m.f32 {
		return 2
	}
	return 3
}

// vec allocates a vector register.
func (m machine) vec() VecVirtual {
	if m.avx512 {
		return ZMM()
	}
	return YMM()
}

var zmm = []VecPhysical{Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15, Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31}

// fixed is vector register i.
func (m machine) fixed(i int) VecPhysical {
	if m.avx512 {
		return zmm[i]
	}
	return zmm[i].AsY().(VecPhysical)
}

// constant is a number in memory, replicated over 32 bytes: a full operand in AVX2, broadcast from its head in AVX-512.
type constant struct{ Mem }

var constants map[string]Mem

func (m machine) constant(v float64) constant {
	if m.f32 {
		return m.bits(uint64(math.Float32bits(float32(v))))
	}
	return m.bits(math.Float64bits(v))
}

func (m machine) bits(b uint64) constant {
	name := fmt.Sprintf("constant%d_%x", 8*m.size(), b)
	if _, ok := constants[name]; !ok {
		mem := GLOBL(name, RODATA|NOPTR)
		for at := 0; at < 32; at += m.size() {
			if m.f32 {
				DATA(at, U32(uint32(b)))
			} else {
				DATA(at, U64(b))
			}
		}
		constants[name] = mem
	}
	return constant{constants[name]}
}

// vectorOp is one arithmetic operation in its forms: by element type, with a register or whole vector in memory, or with
// a broadcast constant.
type vectorOp struct{ ps, pd, psBroadcast, pdBroadcast func(...Op) }

func (m machine) emit(o vectorOp, ops ...Op) {
	f, broadcast := o.ps, o.psBroadcast
	if !m.f32 {
		f, broadcast = o.pd, o.pdBroadcast
	}
	for i, op := range ops {
		if c, ok := op.(constant); ok {
			ops[i] = c.Mem
			if m.avx512 {
				f = broadcast
			}
		}
	}
	f(ops...)
}

// The operations: the first argument may be a constant or a vector in memory, and the last is the destination, as in Go
// assembly; for sub and div the first is the right-hand side.
func (m machine) add(y, x, d Op) {
	m.emit(vectorOp{VADDPS, VADDPD, VADDPS_BCST, VADDPD_BCST}, y, x, d)
}
func (m machine) sub(y, x, d Op) {
	m.emit(vectorOp{VSUBPS, VSUBPD, VSUBPS_BCST, VSUBPD_BCST}, y, x, d)
}
func (m machine) mul(y, x, d Op) {
	m.emit(vectorOp{VMULPS, VMULPD, VMULPS_BCST, VMULPD_BCST}, y, x, d)
}
func (m machine) div(y, x, d Op) {
	m.emit(vectorOp{VDIVPS, VDIVPD, VDIVPS_BCST, VDIVPD_BCST}, y, x, d)
}

// max and min give y where either is NaN, or both are zero.
func (m machine) max(y, x, d Op) {
	m.emit(vectorOp{VMAXPS, VMAXPD, VMAXPS_BCST, VMAXPD_BCST}, y, x, d)
}
func (m machine) min(y, x, d Op) {
	m.emit(vectorOp{VMINPS, VMINPD, VMINPS_BCST, VMINPD_BCST}, y, x, d)
}
func (m machine) and(y, x, d Op) {
	m.emit(vectorOp{VANDPS, VANDPD, VANDPS_BCST, VANDPD_BCST}, y, x, d)
}
func (m machine) or(y, x, d Op) { m.emit(vectorOp{VORPS, VORPD, VORPS_BCST, VORPD_BCST}, y, x, d) }
func (m machine) xor(y, x, d Op) {
	m.emit(vectorOp{VXORPS, VXORPD, VXORPS_BCST, VXORPD_BCST}, y, x, d)
}

// fma adds y*x to d; mulAdd makes d = x*d + y; fnma subtracts y*x from d.
func (m machine) fma(y, x, d Op) {
	m.emit(vectorOp{VFMADD231PS, VFMADD231PD, VFMADD231PS_BCST, VFMADD231PD_BCST}, y, x, d)
}
func (m machine) mulAdd(y, x, d Op) {
	m.emit(vectorOp{VFMADD213PS, VFMADD213PD, VFMADD213PS_BCST, VFMADD213PD_BCST}, y, x, d)
}
func (m machine) fnma(y, x, d Op) {
	m.emit(vectorOp{VFNMADD231PS, VFNMADD231PD, VFNMADD231PS_BCST, VFNMADD231PD_BCST}, y, x, d)
}
func (m machine) sqrt(x, d Op) { m.emit(vectorOp{VSQRTPS, VSQRTPD, VSQRTPS_BCST, VSQRTPD_BCST}, x, d) }

func (m machine) zero(d Op) {
	switch {
	case m.avx512:
		VPXORD(d, d, d)
	default:
		VXORPS(d, d, d)
	}
}

// move loads, stores or copies a whole vector.
func (m machine) move(from, to Op) {
	if m.f32 {
		VMOVUPS(from, to)
	} else {
		VMOVUPD(from, to)
	}
}

// fill sets every lane to a constant, or to the element at a memory operand.
func (m machine) fill(from, to Op) {
	if c, ok := from.(constant); ok {
		from = c.Mem
	}
	if m.f32 {
		VBROADCASTSS(from, to)
	} else {
		VBROADCASTSD(from, to)
	}
}

func (m machine) filled(v float64) Register {
	r := m.vec()
	m.fill(m.constant(v), r)
	return r
}

func (m machine) copied(x Op) Register {
	r := m.vec()
	m.move(x, r)
	return r
}

// roundEven rounds to the nearest integer.
func (m machine) roundEven(x, d Op) {
	switch {
	case m.avx512 && m.f32:
		VRNDSCALEPS(U8(8), x, d)
	case m.avx512:
		VRNDSCALEPD(U8(8), x, d)
	case m.f32:
		VROUNDPS(U8(8), x, d)
	default:
		VROUNDPD(U8(8), x, d)
	}
}

// The predicates of compare: ordered and quiet, so false where a side is NaN.
const (
	equal     = 0x00
	less      = 0x11
	lessEqual = 0x12
	greater   = 0x1e
	unordered = 0x03

	// true where a side is NaN
	notLess      = 0x15
	notLessEqual = 0x16
)

// compare makes a condition: a mask register in AVX-512, a vector of ones and zeros in AVX2.
func (m machine) compare(predicate uint8, x, y Op) Op {
	if m.avx512 {
		k := K()
		m.emit(vectorOp{
			ps: func(o ...Op) { VCMPPS(append([]Op{U8(predicate)}, o...)...) }, pd: func(o ...Op) { VCMPPD(append([]Op{U8(predicate)}, o...)...) },
			psBroadcast: func(o ...Op) { VCMPPS_BCST(append([]Op{U8(predicate)}, o...)...) }, pdBroadcast: func(o ...Op) { VCMPPD_BCST(append([]Op{U8(predicate)}, o...)...) },
		}, y, x, k)
		return k
	}
	r := YMM()
	if c, ok := y.(constant); ok {
		y = c.Mem
	}
	if m.f32 {
		VCMPPS(U8(predicate), y, x, r)
	} else {
		VCMPPD(U8(predicate), y, x, r)
	}
	return r
}

// choose sets d to yes where the condition holds, to no elsewhere.
func (m machine) choose(condition, yes, no, d Op) {
	switch {
	case m.avx512 && m.f32:
		VBLENDMPS(yes, no, condition, d)
	case m.avx512:
		VBLENDMPD(yes, no, condition, d)
	case m.f32:
		VBLENDVPS(condition, yes, no, d)
	default:
		VBLENDVPD(condition, yes, no, d)
	}
}

// scale2 multiplies x by 2^n, n a vector of integers, in place; lanes outside the condition, if there is one, become 0.
// AVX2 goes in two halves, so that overflow and subnormal results come out right.
func (m machine) scale2(n, x, condition Op) {
	if m.avx512 {
		switch {
		case m.f32 && condition != nil:
			VSCALEFPS_Z(n, x, condition, x)
		case m.f32:
			VSCALEFPS(n, x, x)
		case condition != nil:
			VSCALEFPD_Z(n, x, condition, x)
		default:
			VSCALEFPD(n, x, x)
		}
		return
	}
	first, rest := YMM(), YMM()
	m.mul(m.constant(0.5), n, first)
	m.roundEven(first, first)
	m.sub(first, n, rest)
	// adding 1.5*2^(mantissa bits) leaves the biased exponent in the low bits
	magic, bits := 0x1.8p23+127, U8(23)
	if !m.f32 {
		magic, bits = 0x1.8p52+1023, U8(52)
	}
	for _, r := range []Op{first, rest} {
		m.add(m.constant(magic), r, r)
		if m.f32 {
			VPSLLD(bits, r, r)
		} else {
			VPSLLQ(bits, r, r)
		}
	}
	m.mul(first, x, x)
	if condition != nil {
		m.and(condition, rest, rest)
	}
	m.mul(rest, x, x)
}

// tail is the mask of the first lanes of a vector.
type tail struct{ op Op }

// tailTable is 32 bytes of ones and 32 of zeros, from which AVX2 loads its masks.
func tailTable() Mem {
	const name = "tailTable"
	if _, ok := constants[name]; !ok {
		mem := GLOBL(name, RODATA|NOPTR)
		for i := range 8 {
			v := uint64(math.MaxUint64)
			if i >= 4 {
				v = 0
			}
			DATA(8*i, U64(v))
		}
		constants[name] = mem
	}
	return constants[name]
}

// tailOf makes the mask of n lanes, n a register below the number of lanes.
func (m machine) tailOf(n Register) tail {
	if m.avx512 {
		bits, k := GP64(), K()
		MOVQ(I32(-1), bits)
		BZHIQ(n, bits, bits)
		KMOVW(bits.As32(), k)
		return tail{k}
	}
	table, at, mask := GP64(), GP64(), YMM()
	LEAQ(tailTable().Offset(32), table)
	MOVQ(n, at)
	NEGQ(at)
	VMOVUPS(Mem{Base: table, Index: at, Scale: uint8(m.size())}, mask)
	return tail{mask}
}

// loadTail reads the lanes of the mask, and zeros elsewhere; storeTail writes the lanes of the mask. Neither touches other
// memory.
func (m machine) loadTail(t tail, from Mem, to Op) {
	switch {
	case m.avx512 && m.f32:
		VMOVUPS_Z(from, t.op, to)
	case m.avx512:
		VMOVUPD_Z(from, t.op, to)
	case m.f32:
		VMASKMOVPS(from, t.op, to)
	default:
		VMASKMOVPD(from, t.op, to)
	}
}

func (m machine) storeTail(t tail, from Op, to Mem) {
	switch {
	case m.avx512 && m.f32:
		VMOVUPS(from, t.op, to)
	case m.avx512:
		VMOVUPD(from, t.op, to)
	case m.f32:
		VMASKMOVPS(from, t.op, to)
	default:
		VMASKMOVPD(from, t.op, to)
	}
}

// keepTail zeroes the lanes outside the mask.
func (m machine) keepTail(t tail, x Op) {
	switch {
	case m.avx512 && m.f32:
		VMOVAPS_Z(x, t.op, x)
	case m.avx512:
		VMOVAPD_Z(x, t.op, x)
	default:
		VANDPS(t.op, x, x)
	}
}

// fold reduces a vector to its first lane with a commutative operation, in place.
func (m machine) fold(x Register, op func(y, x, d Op)) {
	v := x.(Vec)
	if m.avx512 {
		h := ZMM()
		VSHUFF64X2(U8(0x4e), x, x, h)
		op(h.AsY(), v.AsY(), v.AsY())
	}
	h := YMM()
	if m.avx512 { // reaches registers beyond 15
		VEXTRACTF32X4(U8(1), v.AsY(), h.AsX())
	} else {
		VEXTRACTF128(U8(1), v.AsY(), h.AsX())
	}
	op(h.AsX(), v.AsX(), v.AsX())
	if m.f32 {
		VPERMILPS(U8(0x4e), v.AsX(), h.AsX())
		op(h.AsX(), v.AsX(), v.AsX())
		VPERMILPS(U8(0xb1), v.AsX(), h.AsX())
		op(h.AsX(), v.AsX(), v.AsX())
		return
	}
	VPERMILPD(U8(1), v.AsX(), h.AsX())
	op(h.AsX(), v.AsX(), v.AsX())
}

// pointers are the operands of a loop over elements: element i of operand k is at pointer[k] + size*i.
type pointers struct {
	m     machine
	lanes int
	index GPVirtual
	base  []Register
}

func (p pointers) at(operand, vector int) Mem {
	return Mem{Base: p.base[operand], Index: p.index, Scale: uint8(p.m.size()), Disp: vector * p.lanes * p.m.size()}
}

// loop runs body over n elements, unroll vectors at a time, then one, then the rest under a mask (t is nil for whole
// vectors). The body gets the number of the vector within a step.
func (m machine) loop(label string, n Register, unroll int, operands []Register, body func(p pointers, vector int, t *tail)) {
	m.loopOf(m.lanes(), label, n, unroll, operands, body)
}

// loopOf is loop with another number of elements a vector.
func (m machine) loopOf(lanes int, label string, n Register, unroll int, operands []Register, body func(p pointers, vector int, t *tail)) {
	index, rest := GP64(), GP64()
	XORQ(index, index)
	MOVQ(n, rest)
	p := pointers{m, lanes, index, operands}
	step := func(name string, vectors int) {
		Label(label + name)
		CMPQ(rest, I32(int32(vectors*lanes)))
		JLT(LabelRef(label + name + "End"))
		for v := range vectors {
			body(p, v, nil)
		}
		ADDQ(I32(int32(vectors*lanes)), index)
		SUBQ(I32(int32(vectors*lanes)), rest)
		JMP(LabelRef(label + name))
		Label(label + name + "End")
	}
	if unroll > 1 {
		step("Unrolled", unroll)
	}
	step("Single", 1)
	TESTQ(rest, rest)
	JZ(LabelRef(label + "Done"))
	t := m.tailOf(rest)
	body(p, 0, &t)
	Label(label + "Done")
}

func (m machine) load(p pointers, operand, vector int, t *tail) Register {
	r := m.vec()
	m.loadTo(r, p, operand, vector, t)
	return r
}

func (m machine) loadTo(r Register, p pointers, operand, vector int, t *tail) {
	if t != nil {
		m.loadTail(*t, p.at(operand, vector), r)
	} else {
		m.move(p.at(operand, vector), r)
	}
}

func (m machine) store(x Op, p pointers, operand, vector int, t *tail) {
	if t != nil {
		m.storeTail(*t, x, p.at(operand, vector))
	} else {
		m.move(x, p.at(operand, vector))
	}
}

// function starts a function; parameters are loaded by name with param.
func function(name, signature string) {
	TEXT(name, NOSPLIT, signature)
	Pragma("noescape")
}

func param(name string) Register { return Load(Param(name), GP64()) }

// fillParam sets every lane to a scalar parameter.
func (m machine) fillParam(name string) Register {
	r := m.vec()
	b, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	m.fill(b.Addr, r)
	return r
}

// result stores the first lane of a vector.
func (m machine) result(x Register, index int) {
	b, err := ReturnIndex(index).Resolve()
	if err != nil {
		panic(err)
	}
	m.storeFirst(x, b.Addr)
}

func (m machine) storeFirst(x Register, to Mem) {
	if m.f32 {
		VMOVSS(x.(Vec).AsX(), to)
	} else {
		VMOVSD(x.(Vec).AsX(), to)
	}
}

func done() {
	VZEROUPPER()
	RET()
}
