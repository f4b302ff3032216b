package kernel

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"unsafe"
)

// kernels are the compiled kernels of one instruction set for one element type; what is missing runs as its Go loop. n
// counts elements and is at least 1.
type kernels[T Float] struct {
	unary     [unaryCount]func(n int, dst, src *T, a, b T)
	unaryGrad [unaryCount]func(n int, dx, dy, z *T, a, b T)
	zip       [binaryCount]func(n int, dst, x, y *T)
	zipScalar [binaryCount]func(n int, dst, x *T, s T)
	scalarZip [binaryCount]func(n int, dst, x *T, s T)
	axpy      func(n int, a T, x, y *T)

	sum, sumSquares             func(n int, x *T) float64
	columnSums                  func(cols int, dst, x *T, rows, stride int)
	expSum                      func(n int, src *T) (most, sum T)
	expRow                      func(n int, dst, src *T) (most, sum T)
	narrowSoftmax               [3]func(rows, n int, dst, src, most, sum *T) // by vectors a row
	subtractTwo                 func(n int, dst, x *T, s, r T)
	softmaxGrad, logSoftmaxGrad func(n int, dx, dy, y *T)

	// by way; see normalize_runs.go
	affine           [wayCount]func(n int, dst, x, mean, scale, weight, shift *T)
	affineGrad       [wayCount]func(n int, dx, dy, x, mean, scale, weight, slope, constant *T)
	gradSums         [wayCount]func(n int, dy, x, weight *T, mean T) (sum, product T)
	columnGradSums   [wayCount]func(cols int, sum, product, dy, x, mean, scale *T, rows, stride int)
	deviations       func(n int, x *T, mean T) (squares, sum T)
	normalizeSelf    [wayCount]func(n int, dst, x, weight, shift *T, count, eps T, center int) (mean, variance T)
	columnDeviations func(n int, sum, x, mean *T)

	sgd  [2][5]func(n int, p, g, buffer *T, sign, decay, momentum, fresh, step, idle T)                             // by decay and way of momentum
	adam [2][2]func(n int, p, g, m, v, vmax *T, sign, decay, shrink, lerp, beta2, fresh2, root2, eps, step, easy T) // by decay and AMSGrad

	// a step of a recurrent layer; see recurrent.go
	lstm        func(n int, i, f, g, o, before, c, tanh, h *T)
	lstmOutGrad func(n int, do, dc, dh, o, tanh *T)
	lstmInGrad  func(n int, di, df, dg, dc, i, f, g, before *T)
	gru         func(n int, r, z, n_, hn, before, h *T)
	gruGrad     func(n int, dr, dz, dn, dhn, dh, r, z, n_, hn, before *T)

	maxSquares, meanSquares func(rows, n int, dst, src *T, width int) // see _asm/pool.go

	lanes, maxRows, maxDots int
	depth                   [3]int // of a block of a product by layout, where blockK is too little
	// tiles by log2 of vectors a row, then rows: c = a·b; see _asm/gemm.go
	tile        [4][maxTileRows + 1]tileKernel[T]
	tilePacked  [maxTileRows + 1]tileKernel[T] // two vectors, a and b packed
	copyRows    func(k int, dst *T, dstStride int, src *T, srcStride, columns, width int)
	copySeconds func(k int, dst *T, dstStride int, src *T, srcStride, columns int)
	askForRows  func(rows int, src *T, stride, lines int)
	transpose   func(blocks int, dst *T, dstStride int, src *T, srcStride, rows, width int)
	splitter    *splitter   // of AMX tiles, or nil
	peak        func(n int) // 12 fused multiply-adds of a vector, n times, for benchmarks
	dots        [maxDotRows + 1]func(k int, a *T, lda int, b *T, ldb int, out *T)
	// c = a·bᵀ + bias of two to four columns, of fewRows rows and of one; see _asm/few.go
	few, fewOfRow [maxFewColumns + 1]fewKernel[T]
	fewRows       [maxFewColumns + 1]int
	// slide by log2 of vectors a row, then rows; slideDots by rows; see _asm/convolve.go
	slide     [3][maxTileRows + 1]func(k int, a, b *T, offsets *int, c *T, ldc int, bias *T, flags int)
	slideDots [maxDotRows + 1]func(vectors int, a *T, lda int, b *T, offsets *int, images, strideA, strideB int, out *T, ldo int)
}

const maxTileRows, maxDotRows, maxFewColumns = 14, 6, 4

type tileKernel[T Float] = func(k int, a *T, rowA, stepA int, b *T, ldb, panel int, c *T, ldc int, bias *T, columns, flags int)

var (
	kernels32 kernels[float32]
	kernels64 kernels[float64]
	simd      = "generic"
)

func kernelsOf[T Float]() *kernels[T] {
	if isFloat32[T]() {
		return (*kernels[T])(unsafe.Pointer(&kernels32))
	}
	return (*kernels[T])(unsafe.Pointer(&kernels64))
}

// instructionSet is one set that this machine can run.
type instructionSet struct {
	name  string
	enter func() // fills kernels32 and kernels64
}

// SIMD names the instruction set in use: "amx", "avx512", "avx2" or "generic". The best that the machine has is taken, unless the
// environment variable AEGIS_SIMD names another at the start of the program; a name that is unknown or that the machine
// cannot run is reported on standard error and ignored.
func SIMD() string { return simd }

// available lists the instruction sets of this machine, best first.
func available() []string {
	var names []string
	for _, s := range instructionSets() {
		names = append(names, s.name)
	}
	return append(names, "generic")
}

// use switches to an instruction set. It must not run beside a kernel.
func use(name string) error {
	if !slices.Contains(available(), name) {
		return fmt.Errorf("kernel: AEGIS_SIMD=%s: this machine has %s", name, strings.Join(available(), ", "))
	}
	kernels32, kernels64, simd = kernels[float32]{}, kernels[float64]{}, name
	for _, s := range instructionSets() {
		if s.name == name {
			s.enter()
		}
	}
	return nil
}

func init() {
	best := available()[0]
	name := os.Getenv("AEGIS_SIMD")
	if name == "" {
		name = best
	}
	if err := use(name); err != nil {
		fmt.Fprintf(os.Stderr, "%v; using %s\n", err, best)
		if err := use(best); err != nil {
			panic("BUG: " + err.Error())
		}
	}
}
