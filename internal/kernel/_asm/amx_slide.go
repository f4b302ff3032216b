package main

import "fmt"

// Products whose b lies where it was split, its rows any distance apart: a convolution's sheet, which each tap reads from another place on.

// splitPairs splits two lines of numbers to one of pairs.
func (t *text) splitPairs(parts int) {
	t.function(fmt.Sprintf("splitPairs%d", parts), "(dst unsafe.Pointer, part int, src *float32, second, vectors int, scale float32) (most, least uint32)",
		fmt.Sprintf(`splits vectors of 16 numbers at src, times scale, in %d parts, beside those second bytes on: part q of the pairs goes to
// q*part bytes from dst. most and least are those of split.`, parts), 56)
	t.line("MOVQ dst+0(FP), DI")
	t.line("MOVQ part+8(FP), R8")
	t.line("LEAQ (R8)(R8*1), R9")
	t.line("MOVQ src+16(FP), SI")
	t.line("MOVQ second+24(FP), BX")
	t.line("MOVQ vectors+32(FP), CX")
	t.scaledBy("scale+40(FP)")
	fmt.Fprintf(&t.asm, "loop:\n")
	t.line("VMOVUPS (SI), Z0")
	t.line("VMOVUPS (SI)(BX*1), Z1")
	t.line("ADDQ $64, SI")
	t.splitScaled(parts, func(q int) string { return []string{"(DI)", "(DI)(R8*1)", "(DI)(R9*1)"}[q] })
	t.line("ADDQ $64, DI")
	t.line("DECQ CX")
	t.line("JNZ loop")
	t.storeSeen("most+48(FP)", "least+52(FP)")
	t.line("VZEROUPPER")
	t.line("RET")
}

// slideProduct multiplies panels of 32 rows of a by 32 columns of b over steps of 32 elements.
func (t *text) slideProduct(parts int) {
	t.function(fmt.Sprintf("tileSlide%d", parts), "(config, a, b unsafe.Pointer, offsets *int, stride, part, steps, first int, block *float32, rows int, c *float32, ldc int, bias *float32, columns, flags int, unscale float32)",
		fmt.Sprintf(`is tileProduct%d of one panel of b, whose pairs lie in rows stride bytes apart, part q of a step's from offsets[step]+q*part bytes
// on. An offset more than there are steps is read.`, parts), 124)
	last := lastFrom(80)
	t.enter(last)
	t.column(last)
	t.line("MOVQ block+64(FP), CX")
	t.line("MOVQ a+8(FP), SI")
	t.line("MOVQ stride+32(FP), R12")
	t.line("MOVQ rows+72(FP), R8")
	fmt.Fprintf(&t.asm, "panel:\n")
	for tile := range 4 {
		t.line("%s", tileZero(tile))
	}
	t.line("MOVQ offsets+24(FP), DX")
	t.lines(nextPlace(parts))
	o := slideOperands(parts)
	t.lines(o.first(parts))
	t.line("MOVQ first+56(FP), AX")
	t.line("MOVQ steps+48(FP), DI")
	t.line("SUBQ AX, DI")
	fmt.Fprintf(&t.asm, "step:\n")
	var others []string
	for q := range parts {
		others = append(others, "MOVQ (DX), R13", "ADDQ b+16(FP), R13")
		for range q {
			others = append(others, "ADDQ part+40(FP), R13")
		}
		for i := range 16 {
			others = append(others, "PREFETCHT0 (R13)", "PREFETCHT0 64(R13)", "ADDQ R12, R13")
			for x := range 2 {
				others = append(others, fmt.Sprintf("PREFETCHT0 %d(SI)", 2048*(parts+q)+128*i+64*x))
			}
		}
	}
	t.lines(beside(o.step(parts), others))
	t.line("ADDQ $%d, SI", 2048*parts)
	t.line("DECQ AX")
	t.line("JNZ step")
	t.afterFirst("step", t.putFirst)
	fmt.Fprintf(&t.asm, "multiplied:\n")
	t.storeTiles(0)
	t.line("MOVQ %s, R13", last["ldc"])
	t.merge(last)
	t.line("SUBQ $32, R8")
	t.line("JG panel")
	t.leave()
}

// nextPlace sets the registers where b's parts begin to the step's whose offset is at DX.
func nextPlace(parts int) []string {
	lines := []string{"MOVQ (DX), BX", "ADDQ $8, DX", "ADDQ b+16(FP), BX"}
	for q := 1; q < parts; q++ {
		lines = append(lines, fmt.Sprintf("MOVQ %s, %s", placeNames[q-1], placeNames[q]), fmt.Sprintf("ADDQ part+40(FP), %s", placeNames[q]))
	}
	return lines
}

// placeNames are those registers; places are their numbers.
var (
	placeNames = []string{"BX", "R15", "R14"}
	places     = []int{rbx, 15, 14}
)

// stridedLoad loads a tile whose rows are R12 bytes apart.
func stridedLoad(tile, base, disp int) string {
	extended := 0xa2 // index R12
	if base > 7 {
		extended = 0x82
	}
	return encoded(0xc4, extended, 0x7b, 0x4b, 0x84|tile<<3, 0x20|base&7, disp&0xff, disp>>8&0xff, disp>>16&0xff, disp>>24&0xff)
}

// slideOperands loads a's parts as they lie packed, and b's from their places, which go on to the next step before its first part is loaded.
func slideOperands(parts int) operands {
	return operands{
		a: packedLoads(parts, 4, rsi),
		b: func(q int, next bool) [2][]string {
			loads := [2][]string{{stridedLoad(6, places[q], 0)}, {stridedLoad(7, places[q], 64)}}
			if next {
				loads[0] = append(nextPlace(parts), loads[0]...)
			}
			return loads
		},
	}
}
