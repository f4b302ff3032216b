package kernel

// cpuid runs the instruction of that name.
func cpuid(leaf, sub uint32) (a, b, c, d uint32)

// xgetbv reads which register states the operating system saves.
func xgetbv() uint32

// instructionSets are those that processor and operating system support, best first.
func instructionSets() []instructionSet {
	const (
		fma, osxsave               = 1 << 12, 1 << 27                   // leaf 1, c
		avx2, bmi2                 = 1 << 5, 1 << 8                     // leaf 7, b
		avx512f, dq, bw, vl        = 1 << 16, 1 << 17, 1 << 30, 1 << 31 // leaf 7, b
		ymm, zmm                   = 0x06, 0xe6                         // xgetbv
		wantBasic           uint32 = fma | osxsave
		wantAVX2            uint32 = avx2 | bmi2
		wantAVX512          uint32 = wantAVX2 | avx512f | dq | bw | vl
	)
	var sets []instructionSet
	if top, _, _, _ := cpuid(0, 0); top < 7 {
		return nil
	}
	_, _, basic, _ := cpuid(1, 0)
	if basic&wantBasic != wantBasic {
		return nil
	}
	_, extended, _, tiles := cpuid(7, 0)
	saved := xgetbv()
	if extended&wantAVX512 == wantAVX512 && saved&zmm == zmm && hasAMX(tiles, saved) {
		sets = append(sets, instructionSet{"amx", enterAMX})
	}
	if extended&wantAVX512 == wantAVX512 && saved&zmm == zmm {
		sets = append(sets, instructionSet{"avx512", enterAVX512})
	}
	if extended&wantAVX2 == wantAVX2 && saved&ymm == ymm {
		sets = append(sets, instructionSet{"avx2", enterAVX2})
	}
	return sets
}

func enterAVX512() {
	enterElementwiseF32AVX512(&kernels32)
	enterElementwiseF64AVX512(&kernels64)
	enterGemmF32AVX512(&kernels32)
	enterConvolveF32AVX512(&kernels32)
	enterGemmF64AVX512(&kernels64)
	enterConvolveF64AVX512(&kernels64)
	enterReduceF32AVX512(&kernels32)
	enterReduceF64AVX512(&kernels64)
	enterNormalizeF32AVX512(&kernels32)
	enterNormalizeF64AVX512(&kernels64)
	enterOptimizerF32AVX512(&kernels32)
	enterOptimizerF64AVX512(&kernels64)
	enterRecurrentF32AVX512(&kernels32)
	enterRecurrentF64AVX512(&kernels64)
	enterPoolF32AVX512(&kernels32)
	enterPoolF64AVX512(&kernels64)
	kernels32.depth = [...]int{NN: deepK, NT: deepK, TN: blockK}
	if isAMD() {
		kernels64.depth = [...]int{NN: deepK, NT: deepK, TN: deepK}
	}
}

// secondCache is the size of a core's second-level cache in bytes, or 0 where the processor doesn't say.
func secondCache() int {
	const first, leaf = 0x80000000, 0x80000006
	if top, _, _, _ := cpuid(first, 0); top < leaf {
		return 0
	}
	_, _, c, _ := cpuid(leaf, 0)
	return int(c>>16) << 10
}

// isAMD says whether the processor is one of AMD's.
func isAMD() bool {
	_, b, c, d := cpuid(0, 0)
	return b == 0x68747541 && d == 0x69746e65 && c == 0x444d4163 // "AuthenticAMD"
}

func enterAVX2() {
	enterElementwiseF32AVX2(&kernels32)
	enterElementwiseF64AVX2(&kernels64)
	enterGemmF32AVX2(&kernels32)
	enterConvolveF32AVX2(&kernels32)
	enterGemmF64AVX2(&kernels64)
	enterConvolveF64AVX2(&kernels64)
	enterReduceF32AVX2(&kernels32)
	enterReduceF64AVX2(&kernels64)
	enterNormalizeF32AVX2(&kernels32)
	enterNormalizeF64AVX2(&kernels64)
	enterOptimizerF32AVX2(&kernels32)
	enterOptimizerF64AVX2(&kernels64)
	enterRecurrentF32AVX2(&kernels32)
	enterRecurrentF64AVX2(&kernels64)
	enterPoolF32AVX2(&kernels32)
	enterPoolF64AVX2(&kernels64)
}

// pause waits n times for about 50 ns, leaving the core's units to its other thread.
func pause(n int)
