package kernel

import (
	"fmt"
	"testing"
	"time"
)

// peakGFLOPs measures what fused multiply-adds reach on one core; 0 where only the Go loop runs.
func peakGFLOPs[T Float]() float64 {
	k := kernelsOf[T]()
	if k.peak == nil {
		return 0
	}
	const n = 200000
	best := time.Duration(1 << 62)
	for range 5 {
		start := time.Now()
		k.peak(n)
		best = min(best, time.Since(start))
	}
	return 2 * 12 * float64(k.lanes) * n / best.Seconds() / 1e9
}

var gemmShapes = []struct {
	layout  Layout
	m, n, k int
}{
	{NT, 1, 512, 784}, {NT, 3, 8, 3}, {NT, 3, 4, 8}, {NT, 16, 16, 4}, {NT, 32, 32, 64}, {NT, 32, 32, 32}, {NT, 32, 512, 784}, {NT, 64, 512, 784}, {NT, 64, 256, 512}, {NT, 64, 10, 256},
	{NT, 256, 512, 784}, {NT, 1024, 512, 784}, {NT, 128, 1024, 1024},
	{NN, 1, 784, 512}, {NN, 64, 512, 256}, {NN, 64, 256, 10}, {NN, 128, 1024, 1024}, {NN, 1024, 1024, 1024},
	{TN, 512, 784, 1}, {TN, 512, 784, 64}, {TN, 256, 512, 64}, {TN, 10, 256, 64}, {TN, 512, 784, 256}, {TN, 1024, 1024, 128},
}

func BenchmarkGemm(b *testing.B) {
	b.Run("float32", benchmarkGemm[float32])
	b.Run("float64", benchmarkGemm[float64])
}

func benchmarkGemm[T Float](b *testing.B) {
	peak := peakGFLOPs[T]()
	for _, s := range gemmShapes {
		b.Run(fmt.Sprintf("%s/%s/%dx%dx%d", SIMD(), []string{"NN", "NT", "TN"}[s.layout], s.m, s.n, s.k), func(b *testing.B) {
			x, y, c, bias := make([]T, s.m*s.k), make([]T, s.n*s.k), make([]T, s.m*s.n), make([]T, s.n)
			for i := range x {
				x[i] = T(i%7) - 3
			}
			for i := range y {
				y[i] = T(i%5) - 2
			}
			lda, ldb := s.k, s.n
			if s.layout == NT {
				ldb = s.k
			}
			if s.layout == TN {
				lda = s.m
			}
			for b.Loop() {
				Gemm(s.layout, s.m, s.n, s.k, x, lda, y, ldb, c, s.n, false, Epilogue[T]{Bias: bias, Activation: ReLU})
			}
			rate := 2 * float64(s.m*s.n*s.k) * float64(b.N) / b.Elapsed().Seconds() / 1e9
			b.ReportMetric(rate, "GFLOP/s")
			if peak > 0 {
				b.ReportMetric(100*rate/peak, "%peak")
			}
		})
	}
}
