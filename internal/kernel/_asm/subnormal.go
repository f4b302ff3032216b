package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// What an optimizer keeps of gradients that have become 0 fades away to subnormal numbers, which rounding keeps there for good, and a
// multiplication of one takes the processor a hundred times as long. Vectors of them are multiplied as whole numbers of the smallest
// subnormal, with the same rounding; a weight of some size doesn't change by them.

const (
	below, atLeast = 1, 5 // predicates of unsigned integers
	// smallest is the last bits of a normal number and above: a whole number below it, added to it as a float32, is the last bits of
	// one that begins as whole.
	smallest, whole = 1 << 23, 0x4b000000
)

// integer has the same 32 bits in every lane.
func (m machine) integer(x uint32) Register {
	r := m.vec()
	m.fill(m.bits(uint64(x)), r)
	return r
}

// jumpIfSubnormal jumps if a number is subnormal, but for 0.
func jumpIfSubnormal(x Register, label string) {
	const subnormal = 0x20
	few := K()
	VFPCLASSPSZ(U8(subnormal), x, few)
	KORTESTW(few, few)
	JNE(LabelRef(label))
}

// twice is the numbers' bits without sign, twice.
func (m machine) twice(x Register) Register {
	r := m.vec()
	VPADDD(x, x, r)
	return r
}

// notIdle says which lanes have a gradient, something kept that is normal, or a weight so small that it might change.
func (m machine) notIdle(gradient, twiceKept, weight, leastWeight Register) Register {
	some, more, twice := K(), K(), m.twice(gradient)
	VPTESTMD(twice, twice, some)
	VPCMPUD(U8(atLeast), m.integer(2*smallest), twiceKept, more)
	KORW(more, some, some)
	VPCMPUD(U8(below), m.twice(leastWeight), m.twice(weight), more)
	KORW(more, some, some)
	return some
}

// counted makes whole numbers of subnormal ones, whose bits it gets twice.
func (m machine) counted(twice Register) Register {
	count := m.vec()
	VPSRLD(U8(1), twice, count)
	VCVTDQ2PS(count, count)
	return count
}

// sign gives to the sign of from, but none of 0.
func (m machine) sign(from, twice, to Register) {
	some, bits := K(), m.vec()
	VPTESTMD(twice, twice, some)
	VPANDD_Z(m.integer(1<<31), from, some, bits)
	VPORD(bits, to, to)
}
