package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSelect(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, in := range [][]int{{7}, {1}, {3, 4}, {1, 1, 5}, {4, 3, 2}, {2, 3, 2, 3}, {90, 70}} {
		for range 10 {
			planes := r.IntN(5)
			index := make([][]int32, len(in))
			out := planes
			for d, n := range in {
				index[d] = make([]int32, 1+r.IntN(2*n))
				at := r.IntN(n)
				for o := range index[d] {
					if at++; r.IntN(4) == 0 {
						at = r.IntN(n+1) - 1
					}
					index[d][o] = int32(min(at, n-1))
				}
				out *= len(index[d])
			}
			elements := planes
			for _, n := range in {
				elements *= n
			}
			src, dst := make([]int64, elements), make([]int64, out)
			for i := range src {
				src[i] = int64(i)
			}
			Select(dst, src, planes, in, index, -1)
			for o, got := range dst {
				rest, at, stride, filled := o, 0, 1, false
				for d := len(in) - 1; d >= 0; d-- {
					i := int(index[d][rest%len(index[d])])
					filled = filled || i < 0
					at, stride, rest = at+i*stride, stride*in[d], rest/len(index[d])
				}
				want := int64(at + rest*stride)
				if filled {
					want = -1
				}
				require.Equal(t, want, got, "%v of %v", o, in)
			}
		}
	}
}

func TestResample(t *testing.T) {
	eachSIMD(t, func(t *testing.T) {
		t.Run("float32", testResample[float32])
		t.Run("float64", testResample[float64])
	})
}

// randomTaps has as many taps for every element where each is positive, else 0 to -each.
func randomTaps[T Float](r *rand.Rand, in, out, each int) *Taps[T] {
	t := NewTaps[T](in, out, max(each, -each))
	for o := range out {
		n := each
		if each < 0 {
			n = r.IntN(1 - each)
		}
		for range n {
			if each == 1 {
				t.Add(min(o, in-1), 1)
			} else {
				t.Add(r.IntN(in), T(r.NormFloat64()))
			}
		}
		t.Next()
	}
	return t
}

func testResample[T Float](t *testing.T) {
	b := newBench[T](t)
	for _, c := range []struct{ planes, rank, in, out, each int }{
		{3, 1, 7, 9, 2}, {3, 1, 9, 4, -3}, {2, 2, 5, 11, 2}, {2, 2, 11, 5, 4}, {1, 2, 6, 6, 1}, {2, 3, 3, 5, 2}, {2, 3, 5, 3, -4}, {0, 2, 3, 4, 2}, {9, 2, 61, 122, 2}, {9, 2, 122, 61, -2},
	} {
		for b.round = range 4 {
			t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
				taps := make([]*Taps[T], c.rank)
				in, out := 1, 1
				for d := range taps {
					taps[d] = randomTaps[T](b.random, c.in, c.out, c.each)
					if d == 0 && b.round > 1 {
						taps[d] = randomTaps[T](b.random, c.in, c.in, 1)
					}
					in, out = in*taps[d].In, out*taps[d].Out()
				}
				x, y := b.normal(0, c.planes*in, 1), b.empty(1, c.planes*out)
				Resample(y, x, c.planes, taps)
				for at, got := range y {
					want, size := taken(taps, x[at/out*in:], at%out)
					near(t, want, got, 0, 8*float64(c.rank)*epsilon[T]()*size, at)
				}
				// The transposed taps give the same bilinear form.
				back := make([]*Taps[T], c.rank)
				for d := range taps {
					back[d] = taps[d].Transposed()
				}
				dx := make([]T, len(x))
				Resample(dx, y, c.planes, back)
				left, right, size := 0.0, 0.0, 0.0
				for i := range x {
					left += float64(dx[i]) * float64(x[i])
					size += math.Abs(float64(dx[i]) * float64(x[i]))
				}
				for i := range y {
					right += float64(y[i]) * float64(y[i])
				}
				require.InDelta(t, right, left, 1024*epsilon[T]()*(size+right))
			})
		}
	}
}

// taken is element at of a plane taken through taps, and the sum of the sizes of its terms.
func taken[T Float](taps []*Taps[T], x []T, at int) (sum, size float64) {
	point := make([]int, len(taps))
	for d := len(taps) - 1; d >= 0; d-- {
		point[d] = at % taps[d].Out()
		at /= taps[d].Out()
	}
	var walk func(d, from int, weight float64)
	walk = func(d, from int, weight float64) {
		if d == len(taps) {
			sum += weight * float64(x[from])
			size += math.Abs(weight * float64(x[from]))
			return
		}
		s := taps[d]
		for k := s.Start[point[d]]; k < s.Start[point[d]+1]; k++ {
			walk(d+1, from*s.In+int(s.Index[k]), weight*float64(s.Weight[k]))
		}
	}
	walk(0, 0, 1)
	return sum, size
}
