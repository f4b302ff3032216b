package main

import "slices"

// Products of the parts of a step on tiles, whose operands lie one way or another.

// operands give the loads of the two tiles of a part of a and b: of this step, or of the next.
type operands struct {
	a, b func(part int, next bool) [2][]string
}

// packedLoads are those of parts that lie one after the other from a register on, loaded to two tiles.
func packedLoads(parts, tile, base int) func(int, bool) [2][]string {
	return func(q int, next bool) [2][]string {
		at := 2048 * q
		if next {
			at += 2048 * parts
		}
		return [2][]string{{tileLoad(tile, base, at)}, {tileLoad(tile+1, base, at+1024)}}
	}
}

// packedOperands lie from SI and BX on.
func packedOperands(parts int) operands {
	return operands{packedLoads(parts, 4, rsi), packedLoads(parts, 6, rbx)}
}

// first loads the tiles of the first product of a step.
func (o operands) first(parts int) []string {
	p := splitProducts[parts][0]
	a, b := o.a(p[0], false), o.b(p[1], false)
	return slices.Concat(a[0], a[1], b[0], b[1])
}

// step multiplies the parts of a step. Each tile is loaded as soon as the one before it is not needed any more, those of the
// next step's first product at the end: what is beside them keeps the processor from looking so far ahead itself.
func (o operands) step(parts int) (lines []string) {
	products := splitProducts[parts]
	for i, p := range products {
		next := products[(i+1)%len(products)]
		ends := i == len(products)-1
		var a, b [2][]string // the next tiles
		if ends || next[0] != p[0] {
			a = o.a(next[0], ends)
		}
		loadsB := ends || next[1] != p[1]
		if loadsB {
			b = o.b(next[1], ends)
		}
		if !loadsB {
			lines = slices.Concat(lines, []string{tileProduct(0, 4, 6), tileProduct(1, 4, 7)}, a[0], []string{tileProduct(2, 5, 6), tileProduct(3, 5, 7)}, a[1])
			continue
		}
		lines = slices.Concat(lines, []string{tileProduct(0, 4, 6), tileProduct(2, 5, 6)}, b[0], []string{tileProduct(1, 4, 7)}, a[0], []string{tileProduct(3, 5, 7)}, b[1], a[1])
	}
	return lines
}
