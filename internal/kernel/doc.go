// Package kernel holds the arithmetic of the CPU: element-wise maps, reductions, matrix products, softmax, cross-entropy
// and optimizer updates over plain slices of float32 or float64.
//
// Every kernel is a Go loop that says what is computed. On amd64 with AVX-512 or AVX2 the same kernel runs as generated
// assembly (see SIMD and the environment variable AEGIS_SIMD); results then agree within the error bound that the kernel
// states, and optimizer steps bit for bit. Large kernels are shared among threads (see SetThreads).
//
// Slices are row-major and dense unless strides are given. Lengths are checked: a slice too short for the sizes passed
// along is a bug of the caller and panics before anything is read or written. Results may be written over an input of the
// same length where a kernel says so; otherwise they must not overlap the inputs.
//
// All functions may be called from many goroutines at once, as long as their outputs do not overlap.
package kernel

// Float is the set of element types.
type Float interface{ float32 | float64 }

// need panics unless a slice of length have holds want elements: the caller has mixed up its sizes.
func need(what string, have, want int) {
	if have < want {
		panic("BUG: kernel: " + what + " is too short")
	}
}
