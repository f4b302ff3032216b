package graph

import (
	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

// SetThreads sets how many threads a kernel may use, 1 or more; the default is GOMAXPROCS.
func SetThreads(n int) { kernel.SetThreads(max(n, 1)) }

// Threads is how many threads a kernel may use.
func Threads() int { return kernel.Threads() }

// SIMD names the vector instructions in use: "amx", "avx512", "avx2" or "generic". AEGIS_SIMD chooses others at start.
func SIMD() string { return kernel.SIMD() }

// Precision is how exactly float32 matrix products are computed.
type Precision = kernel.Precision

// PyTorch's words: Highest is float32, High at least the sum of two bfloat16 a number, Medium at least bfloat16.
const (
	Highest = kernel.Highest
	High    = kernel.High
	Medium  = kernel.Medium
)

// SetFloat32MatmulPrecision allows float32 matrix products to be less exact where that is faster: on processors with AMX
// tiles, and on GPUs with TF32, which High and Medium allow there as in PyTorch (predictions' wide products take its 10 bits from
// half precision, scaled). Elsewhere, by default, and in a CPU's convolutions they are Highest. It may be called at any time.
// See https://docs.pytorch.org/docs/stable/generated/torch.set_float32_matmul_precision.html.
func SetFloat32MatmulPrecision(p Precision) {
	kernel.SetPrecision(p)
	cuda.SetTF32(kernel.MatmulPrecision() != Highest)
}

// Float32MatmulPrecision is the precision set.
func Float32MatmulPrecision() Precision { return kernel.MatmulPrecision() }
