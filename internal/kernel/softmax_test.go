package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSoftmax(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testSoftmax[float32])
		t.Run("float64", testSoftmax[float64])
	})
}

func testSoftmax[T Float](t *testing.T) {
	b := newBench[T](t)
	shapes := [][3]int{{2, 3, 1500}, {3, 5, 9}, {1, 4, 40}, {3, 1000, 1}, {2, 5, 3}, {1, 70, 40}, {0, 4, 1}, {2, 3, 16}}
	for n := 1; n <= 70; n++ {
		shapes = append(shapes, [3]int{3, n, 1})
	}
	for _, s := range shapes {
		b.round++
		outer, n, inner := s[0], s[1], s[2]
		size := outer * n * inner
		x, y, ly := b.normal(0, size, 5), b.empty(1, size), b.empty(2, size)
		dy, dx, ldx := b.normal(3, size, 1), b.empty(4, size), b.empty(5, size)
		if n%7 == 6 { // masked logits
			for i := 0; i < size; i += 3 {
				x[i] = T(math.Inf(-1))
			}
		}
		Softmax(y, x, outer, n, inner)
		LogSoftmax(ly, x, outer, n, inner)
		SoftmaxGrad(dx, dy, y, outer, n, inner)
		LogSoftmaxGrad(ldx, dy, ly, outer, n, inner)
		columns(outer, n, inner, func(at int) {
			m := math.Inf(-1)
			for i := range n {
				m = max(m, float64(x[at+i*inner]))
			}
			sum, dot, total, size := 0.0, 0.0, 0.0, 0.0
			for i := range n {
				sum += math.Exp(float64(x[at+i*inner]) - m)
				g, p := float64(dy[at+i*inner]), float64(y[at+i*inner])
				dot += g * p
				total += g
				size += math.Abs(g)
			}
			rounding := epsilon[T]() * size * 8
			for i := range n {
				v, g := float64(x[at+i*inner]), float64(dy[at+i*inner])
				e := math.Abs(v - m) // x-m is rounded before exp
				if math.IsInf(v, -1) {
					e = 0
				}
				near(t, math.Exp(v-m)/sum, y[at+i*inner], 6+e, 0, s)
				near(t, v-m-math.Log(sum), ly[at+i*inner], 4, (4+math.Sqrt(float64(n)))*epsilon[T](), s) // rounding of the running sum
				near(t, float64(y[at+i*inner])*(g-dot), dx[at+i*inner], 4, rounding, "gradient", s)
				near(t, g-math.Exp(float64(ly[at+i*inner]))*total, ldx[at+i*inner], 4, rounding, "log gradient", s)
			}
		})
		again := append([]T(nil), x...)
		Softmax(again, again, outer, n, inner)
		sameBits(t, y, again, "softmax in place")
		again = append(again[:0], x...)
		LogSoftmax(again, again, outer, n, inner)
		sameBits(t, ly, again, "log softmax in place")
	}
}

// Rows that PyTorch gives NaN for.
func TestSoftmaxNaN(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		for _, n := range []int{3, 40} {
			for _, bad := range []float64{math.Inf(-1), math.Inf(1), math.NaN()} {
				x, y := make([]float32, 2*n), make([]float32, 2*n)
				x[1] = float32(bad)
				if math.IsInf(bad, -1) {
					for i := range n {
						x[i] = float32(bad)
					}
				}
				Softmax(y, x, 2, n, 1)
				for i, v := range y {
					require.Equal(t, i < n, v != v, "%v %v", n, bad)
				}
				LogSoftmax(y, x, 2, n, 1)
				for i, v := range y[:n] {
					// one +Inf leaves -Inf beside it in PyTorch; NaN covers the row
					require.True(t, v != v || math.IsInf(float64(v), -1), "%v %v %d %v", n, bad, i, v)
				}
			}
		}
	})
}

func TestCrossEntropy(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testCrossEntropy[float32])
		t.Run("float64", testCrossEntropy[float64])
	})
}

func testCrossEntropy[T Float](t *testing.T) {
	b := newBench[T](t)
	for classes := 1; classes <= 70; classes++ {
		b.round++
		rows := 6
		x, q := b.normal(0, rows*classes, 3), b.normal(1, rows*classes, 1)
		loss, grad := b.empty(2, rows), b.empty(3, rows*classes)
		args := CrossEntropyArgs[T]{Rows: rows, Classes: classes, IgnoreIndex: -100}
		if classes%2 == 0 {
			args.Weight = b.normal(4, classes, 1)
		}
		if classes%3 == 0 {
			args.Smoothing = 0.1
		}
		target := make([]int64, rows)
		for r := range target {
			target[r] = int64(b.random.IntN(classes))
		}
		target[1] = -100
		require.Equal(t, -1, CrossEntropyIndices(loss, grad, x, target, args))
		onehot := make([]T, rows*classes)
		eps := float64(args.Smoothing)
		for r, c := range target {
			if c >= 0 {
				onehot[r*classes+int(c)] = 1
			}
		}
		check := func(q []T, smooth func(r, c int) float64) {
			t.Helper()
			for r := range rows {
				m, sum := math.Inf(-1), 0.0
				row := x[r*classes : (r+1)*classes]
				for _, v := range row {
					m = max(m, float64(v))
				}
				for _, v := range row {
					sum += math.Exp(float64(v) - m)
				}
				want, total, size := 0.0, 0.0, 0.0
				for c, v := range row {
					w := args.weight(c) * smooth(r, c)
					want -= w * (float64(v) - m - math.Log(sum))
					total += w
					size += math.Abs(w)
				}
				bound := 16 * epsilon[T]() * (size + 1) * (1 + math.Log(float64(classes)))
				near(t, want, loss[r], 4, 8*bound, "loss", classes, r)
				for c, v := range row {
					g := math.Exp(float64(v)-m)/sum*total - args.weight(c)*smooth(r, c)
					near(t, g, grad[r*classes+c], 4, bound, "gradient", classes, r, c)
				}
			}
		}
		check(onehot, func(r, c int) float64 {
			if target[r] < 0 {
				return 0
			}
			return (1-eps)*float64(onehot[r*classes+c]) + eps/float64(classes)
		})
		only := b.empty(5, rows)
		require.Equal(t, -1, CrossEntropyIndices(only, nil, x, target, args))
		sameBits(t, loss, only, "loss without gradient, %d classes", classes)
		CrossEntropyProbabilities(loss, grad, x, q, args)
		check(q, func(r, c int) float64 { return (1-eps)*float64(q[r*classes+c]) + eps/float64(classes) })
		target[3] = int64(classes)
		require.Equal(t, 3, CrossEntropyIndices(loss, grad, x, target, args))
		target[3] = -1
		require.Equal(t, 3, CrossEntropyIndices(loss, nil, x, target, args))
	}
}
