package kernel

import (
	"fmt"
	"math"
	"testing"
)

// The normalization and its gradient are the definition's, in float64, and have the same bits on any number of threads.
func TestResponseNormalize(t *testing.T) {
	defer SetThreads(0)
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testResponseNormalize[float32])
		t.Run("float64", testResponseNormalize[float64])
	})
}

func testResponseNormalize[T Float](t *testing.T) {
	b := newBench[T](t)
	for i, beta := range []float64{0.5, 0.6, 0.75, 1} {
		for _, size := range []int{1, 2, 5, 9} {
			r := ResponseNorm{Channels: 7, Inner: 90 + i, Before: size / 2, Behind: (size - 1) / 2, Scale: 0.3, Beta: beta, K: 1.5}
			n := 20 * r.Channels * r.Inner
			b.round++
			x, dy := b.normal(0, n, 1), b.normal(1, n, 1)
			windowed := func(c int, term func(o int) float64, before, behind int) (sum float64) {
				r.window(c, before, behind, func(o int) { sum += term(o) })
				return sum
			}
			var first []T
			for threads := 1; threads <= 3; threads++ {
				SetThreads(threads)
				y, sums, dx, terms := b.empty(2, n), b.empty(3, n), b.empty(4, n), b.empty(5, n)
				ResponseNormalize(r, y, sums, x)
				ResponseNormalizeGrad(r, dx, terms, dy, x, sums)
				if threads > 1 {
					sameBits(t, first, append(append([]T{}, y...), dx...), fmt.Sprint(beta, size, threads))
					continue
				}
				first = append(append([]T{}, y...), dx...)
				at := func(j, c int) int { return j/(r.Channels*r.Inner)*r.Channels*r.Inner + c*r.Inner + j%r.Inner }
				s := make([]float64, n)
				for j := range s {
					s[j] = r.K + r.Scale*windowed(j/r.Inner%r.Channels, func(o int) float64 { return math.Pow(float64(x[at(j, o)]), 2) }, r.Before, r.Behind)
				}
				for j := range s {
					near(t, float64(x[j])*math.Pow(s[j], -beta), y[j], float64(size+6), 0, fmt.Sprint(beta, size, j))
					most := 0.0
					sum := windowed(j/r.Inner%r.Channels, func(o int) float64 {
						k := at(j, o)
						v := float64(dy[k]) * float64(x[k]) * math.Pow(s[k], -beta-1)
						most += math.Abs(v)
						return v
					}, r.Behind, r.Before)
					want := float64(dy[j])*math.Pow(s[j], -beta) - 2*r.Scale*beta*float64(x[j])*sum
					slack := epsilon[T]() * 32 * (math.Abs(float64(dy[j])) + math.Abs(float64(x[j]))*most)
					near(t, want, dx[j], 4, slack, fmt.Sprint("gradient ", beta, size, j))
				}
			}
		}
	}
}
