package graph

import "github.com/seed-70b75153/aegis/internal/kernel"

// SetThreads sets how many threads a kernel may use, 1 or more; the default is GOMAXPROCS.
func SetThreads(n int) { kernel.SetThreads(max(n, 1)) }

// Threads is how many threads a kernel may use.
func Threads() int { return kernel.Threads() }

// SIMD names the vector instructions in use: "avx512", "avx2" or "generic". AEGIS_SIMD chooses others at start.
func SIMD() string { return kernel.SIMD() }
