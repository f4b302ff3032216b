package main

import "fmt"

// besideRows multiplies 32 rows of a by up to 32 columns of b, and splits a meanwhile, while the vector units have nothing else to do.
func (t *text) besideRows(parts int) {
	t.function(fmt.Sprintf("splitRowsBeside%d", parts), "(config, a, b unsafe.Pointer, src *float32, stride, k, first int, block *float32, least, most uint32, c *float32, ldc int, bias *float32, columns, flags int, unscale float32) (done bool)",
		fmt.Sprintf(`splits 32 rows of k numbers in %d parts to a and is tileProduct%d of them and of one panel of b. The rows lie at
// src, stride bytes apart. It stores no product, and is not done, where a number's bits without sign, twice, are above most or, less
// 1, below least. A step beyond those of a and b is read.`, parts, parts), 121)
	last := lastFrom(72)
	t.enterBeside(last)
	t.line("MOVQ block+56(FP), CX")
	t.line("MOVQ DI, R8") // from the last row of a step to the first of the next
	t.line("SHLQ $5, R8")
	t.line("SUBQ $128, R8")
	t.line("MOVQ k+40(FP), DX") // what is not split
	t.line("MOVQ first+48(FP), R15")
	t.besideSteps(parts, func(at int) []string { return append(nextElements(), splitRowsStep(parts, at)...) }, "TESTQ DX, DX", "JLE")
	t.line("MOVQ $32, R8")
	t.leaveBeside(last, "least+64(FP)", "most+68(FP)", "done+120(FP)")
}

// besideColumns is besideRows for 32 columns of b, and up to 32 rows of an a that is split.
func (t *text) besideColumns(parts int) {
	t.function(fmt.Sprintf("splitColumnsBeside%d", parts), "(config, a, b unsafe.Pointer, src *float32, stride, steps, first int, block *float32, least, most uint32, rows int, c *float32, ldc int, bias *float32, columns, flags int, unscale float32) (done bool)",
		fmt.Sprintf(`splits 32 columns of 32 times steps numbers in %d parts to b and is tileProduct%d of one panel of a and of
// them. The elements of k lie at src, stride bytes apart. It stores no product, and is not done, where a number's bits without sign,
// twice, are above most or, less 1, below least. A step beyond those of a and b is read.`, parts, parts), 129)
	last := lastFrom(80)
	t.enterBeside(last)
	t.line("MOVQ block+56(FP), CX")
	t.line("MOVQ DI, R14") // to the second half of a step
	t.line("SHLQ $4, R14")
	t.line("MOVQ steps+40(FP), DX")
	t.line("MOVQ first+48(FP), R15")
	t.besideSteps(parts, func(at int) []string { return splitColumnsStep(parts, at) }, "DECQ DX", "JZ")
	t.line("MOVQ rows+72(FP), R8")
	t.leaveBeside(last, "least+64(FP)", "most+68(FP)", "done+128(FP)")
}

// enterBeside begins a product beside which numbers are split.
func (t *text) enterBeside(last lastArguments) {
	t.enter(last)
	t.splitConstants(22, 23, 24)
	t.column(last)
	t.line("MOVQ a+8(FP), SI")
	t.line("MOVQ b+16(FP), BX")
	t.line("MOVQ src+24(FP), R12")
	t.line("MOVQ stride+32(FP), DI")
	for tile := range 4 {
		t.line("%s", tileZero(tile))
	}
}

// besideSteps multiplies all steps, and splits each while the second before it is multiplied: so the tiles that it is loaded to don't
// wait for its stores. split splits a step, at bytes from the one that is multiplied; after count, ended jumps where there are no more.
func (t *text) besideSteps(parts int, split func(at int) []string, count, ended string) {
	bytes := 2048 * parts
	t.lines(split(0))
	t.line("%s", count)
	t.line("%s single", ended)
	t.lines(split(bytes))
	t.lines(packedOperands(parts).first(parts))
	t.line("%s", count)
	t.line("%s two", ended)
	fmt.Fprintf(&t.asm, "step:\n")
	t.besideStep(parts, "kept", split(2*bytes))
	t.line("%s", count)
	t.line("%s two", ended)
	t.line("JMP step")
	fmt.Fprintf(&t.asm, "two:\n")
	t.besideStep(parts, "keptTwo", nil)
	t.line("JMP last")
	fmt.Fprintf(&t.asm, "single:\n")
	t.lines(packedOperands(parts).first(parts))
	fmt.Fprintf(&t.asm, "last:\n")
	t.lines(packedOperands(parts).step(parts))
}

// besideStep multiplies a step, and splits another.
func (t *text) besideStep(parts int, kept string, split []string) {
	t.lines(beside(packedOperands(parts).step(parts), split))
	t.line("ADDQ $%d, SI", 2048*parts)
	t.line("ADDQ $%d, BX", 2048*parts)
	t.line("DECQ R15")
	t.line("JNZ %s", kept)
	t.putFirst()
	fmt.Fprintf(&t.asm, "%s:\n", kept)
}

// leaveBeside stores R8 rows of products if what was split can be.
func (t *text) leaveBeside(last lastArguments, least, most, done string) {
	for _, r := range []struct {
		op, jump, bound string
		z               int
	}{{"VPMAXUD", "JHI", most, 25}, {"VPMINUD", "JCS", least, 26}} {
		t.fold(r.op, r.z)
		t.line("CMPL AX, %s", r.bound)
		t.line("%s outside", r.jump)
	}
	t.storeTiles(0)
	t.merge(last)
	t.line("MOVB $1, %s", done)
	t.leave()
	fmt.Fprintf(&t.asm, "outside:\n")
	t.line("MOVB $0, %s", done)
	t.leave()
}

// nextElements sets K3 and K4 to which of the next 32 of the DX elements there are, and takes them off.
func nextElements() []string {
	return []string{
		"MOVQ $32, AX", "CMPQ DX, AX", "CMOVQLT DX, AX", "MOVQ $-1, R14", "BZHIQ AX, R14, R14", "KMOVW R14, K3", "SHRQ $16, R14", "KMOVW R14, K4",
		"SUBQ $32, DX",
	}
}

// splitRowsStep splits a step of 32 rows at R12 to tiles of a, at bytes from SI.
func splitRowsStep(parts, at int) (lines []string) {
	for row := range 32 {
		z := 8 * (row % 2)
		lines = append(lines, fmt.Sprintf("VMOVUPS.Z (R12), K3, Z%d", z), fmt.Sprintf("VMOVUPS.Z 64(R12), K4, Z%d", z+1))
		if row < 31 {
			lines = append(lines, "ADDQ DI, R12")
		}
		for x := range 2 {
			lines = append(lines, look(z+x, z+2+x, 24)...)
		}
		lines = append(lines, splitPair(parts, z, 22, 23, func(q int) string {
			return fmt.Sprintf("%d(SI)", at+2048*q+64*row)
		})...)
	}
	return append(lines, "SUBQ R8, R12", "ADDQ DI, R12")
}

// splitColumnsStep splits a step of 32 columns at R12 to tiles of b, at bytes from BX.
func splitColumnsStep(parts, at int) (lines []string) {
	for row := range 16 {
		for half := range 2 {
			z := 8 * half
			lines = append(lines, fmt.Sprintf("VMOVUPS %d(R12), Z%d", 64*half, z), fmt.Sprintf("VMOVUPS %d(R12)(R14*1), Z%d", 64*half, z+1))
			for x := range 2 {
				lines = append(lines, look(z+x, z+2+x, 24)...)
			}
			lines = append(lines, splitPair(parts, z, 22, 23, func(q int) string {
				return fmt.Sprintf("%d(BX)", at+2048*q+1024*half+64*row)
			})...)
		}
		lines = append(lines, "ADDQ DI, R12")
	}
	return append(lines, "ADDQ R14, R12")
}
