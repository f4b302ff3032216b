package kernel

import (
	"fmt"
	"testing"
	"unsafe"
)

// BenchmarkElementwise prints elements a second and bytes a second of the kernels that are not matrix products.
func BenchmarkElementwise(b *testing.B) {
	b.Run("float32", benchmarkElementwise[float32])
	b.Run("float64", benchmarkElementwise[float64])
}

func benchmarkElementwise[T Float](b *testing.B) {
	const classes = 10
	for _, n := range []int{40, 5120, 32 * 1024, 512 * 1024} {
		x, y, z, m, v := make([]T, n), make([]T, n), make([]T, n), make([]T, n), make([]T, n)
		for i := range x {
			x[i], y[i] = T(i%13)-6, T(i%7)/7
		}
		target := make([]int64, n/classes)
		unary := func(u Unary) func() { return func() { Map(u, y, x, 0.01, 20) } }
		for _, c := range []struct {
			name    string
			streams int
			f       func()
		}{
			{"relu", 2, unary(ReLU)}, {"exp", 2, unary(Exp)}, {"sigmoid", 2, unary(Sigmoid)}, {"tanh", 2, unary(Tanh)}, {"gelu", 2, unary(GELU)}, {"silu", 2, unary(SiLU)}, {"log", 2, unary(Log)},
			{"gelu gradient", 3, func() { MapGrad(GELU, z, y, x, x, 0, 0) }}, {"add", 3, func() { Zip(Add, z, x, y) }},
			{"sum", 1, func() { Sum(x) }}, {"column sums", 1, func() { ColumnSums(z, x, n/40, 40) }},
			{"softmax", 2, func() { Softmax(z, x, n/classes, classes, 1) }},
			{"cross-entropy", 2, func() {
				CrossEntropyIndices(y[:n/classes], z, x, target, CrossEntropyArgs[T]{Rows: n / classes, Classes: classes, IgnoreIndex: -100})
			}},
			{"sgd", 3, func() { SGD(z, x, nil, SGDArgs{LR: 1e-3}) }},
			{"sgd momentum", 5, func() { SGD(z, x, m, SGDArgs{LR: 1e-3, Momentum: 0.9}) }},
			{"adam", 7, func() { Adam(z, x, m, v, nil, AdamArgs{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Step: 9}) }},
		} {
			b.Run(fmt.Sprintf("%s/%s/%d", SIMD(), c.name, n), func(b *testing.B) {
				for b.Loop() {
					c.f()
				}
				seconds := b.Elapsed().Seconds() / float64(b.N)
				b.ReportMetric(float64(n)/seconds/1e9, "Gelem/s")
				b.ReportMetric(float64(n*c.streams)*float64(unsafe.Sizeof(x[0]))/seconds/1e9, "GB/s")
			})
		}
	}
}
