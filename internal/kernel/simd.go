package kernel

// SIMD names the instruction set in use: "avx512", "avx2" or "generic".
func SIMD() string { return "generic" }
