package main

import "fmt"

// A panel of up to 16 rows takes the first tile of a alone, and half as many products. What holds the sums of the other rows is free for
// parts of a and b.

// halfTiles lists, by parts, which tiles hold one part of a after the other, and which the left and right halves of b's.
var halfTiles = map[int]struct{ a, left, right []int }{
	1: {a: []int{4}, left: []int{6}, right: []int{7}},
	2: {a: []int{4, 5}, left: []int{3, 6}, right: []int{2, 7}},
	3: {a: []int{4, 5, 2}, left: []int{7, 3, 6}, right: []int{3, 6, 7}},
}

// half multiplies the last rows of a, up to 16.
func (t *text) half(parts int, last lastArguments) {
	fmt.Fprintf(&t.asm, "half:\n")
	t.line("TESTQ R11, R11")
	t.line("JZ alone")
	t.line("MOVQ $32, R8") // those of the block that waits
	t.merge(last)
	t.line("XORQ R11, R11")
	t.line("MOVQ rows+48(FP), R8")
	t.line("ANDQ $31, R8")
	t.line("MOVQ DX, BX")
	fmt.Fprintf(&t.asm, "alone:\n")
	t.zeroHalf()
	first, step := halfProducts(parts)
	t.lines(first)
	t.line("MOVQ first+32(FP), AX")
	t.line("MOVQ steps+24(FP), DI")
	t.line("SUBQ AX, DI")
	fmt.Fprintf(&t.asm, "halfStep:\n")
	var fetch []string
	for i := range 32 * parts {
		fetch = append(fetch, fmt.Sprintf("PREFETCHT0 %d(BX)", 2048*parts+64*i))
	}
	t.lines(beside(step, fetch))
	t.nextStep(parts)
	t.line("DECQ AX")
	t.line("JNZ halfStep")
	t.afterFirst("halfStep", func() {
		t.storeTiles(blockBytes)
		t.zeroHalf()
	})
}

func (t *text) zeroHalf() {
	for tile := range 2 {
		t.line("%s", tileZero(tile))
	}
}

// halfProducts gives the loads before the first step, and a step: its products in the order of whole panels, so that sums have the same bits,
// and after the last that reads a tile the load of what it holds next.
func halfProducts(parts int) (first, step []string) {
	type operand struct{ tile, base, at int }
	tiles := halfTiles[parts]
	var pairs [][3]operand // of a, and the left and right half of b
	held := map[int][]operand{}
	hold := func(o operand) operand {
		all := held[o.tile]
		if len(all) == 0 || all[len(all)-1] != o {
			held[o.tile] = append(all, o)
		}
		return o
	}
	for _, p := range splitProducts[parts] {
		pairs = append(pairs, [3]operand{
			hold(operand{tiles.a[p[0]], rsi, 2048 * p[0]}),
			hold(operand{tiles.left[p[1]], rbx, 2048 * p[1]}),
			hold(operand{tiles.right[p[1]], rbx, 2048*p[1] + 1024}),
		})
	}
	var reads []operand
	for _, p := range pairs {
		reads = append(reads, p[0], p[1], p[0], p[2])
	}
	loaded := map[int]bool{}
	for _, o := range reads {
		if !loaded[o.tile] {
			loaded[o.tile] = true
			first = append(first, tileLoad(o.tile, o.base, o.at))
		}
	}
	lastRead := func(from int, o operand) bool {
		for _, r := range reads[from:] {
			if r == o {
				return false
			}
		}
		return true
	}
	next := func(o operand) string {
		all := held[o.tile]
		for i, h := range all {
			if h == o && i+1 < len(all) {
				return tileLoad(o.tile, all[i+1].base, all[i+1].at)
			}
		}
		return tileLoad(o.tile, all[0].base, all[0].at+2048*parts)
	}
	for i := 0; i < len(reads); i += 2 {
		a, b := reads[i], reads[i+1]
		step = append(step, tileProduct(i/2%2, a.tile, b.tile))
		for _, o := range []operand{b, a} {
			if lastRead(i+2, o) {
				step = append(step, next(o))
			}
		}
	}
	return first, step
}
