//go:build gpu

package ops

import (
	"math"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

var resampleSource = cuda.NewSource("resample", `
// y (count, b0, b1, b2) is made of x (count, a0, a1, a2) by the taps of each dim, one dim after the other: those of an element
// are start[0] to start[1] in index and weight.
extern "C" __global__ void resample(T *y, const T *x, const i64 *start, const i64 *index, const double *weight, Sizes sizes, i64 n) {
	i64 a0 = sizes.at[2], a1 = sizes.at[3], a2 = sizes.at[4], b0 = sizes.at[5], b1 = sizes.at[6], b2 = sizes.at[7];
	EACH(i, n) {
		i64 k = i % b2, j = i / b2 % b1, h = i / (b2 * b1) % b0;
		const T *plane = x + i / (b2 * b1 * b0) * a0 * a1 * a2;
		const i64 *first = start + h, *second = start + b0 + 1 + j, *third = start + b0 + b1 + 2 + k;
		T sum = 0;
		for (i64 f = first[0]; f < first[1]; f++) {
			T rows = 0;
			for (i64 g = second[0]; g < second[1]; g++) {
				const T *row = plane + (index[f] * a1 + index[g]) * a2;
				T along = 0;
				for (i64 e = third[0]; e < third[1]; e++)
					along += T(weight[e]) * row[index[e]];
				rows += T(weight[g]) * along;
			}
			sum += T(weight[f]) * rows;
		}
		y[i] = sum;
	}
}
`)

// resample takes each of count planes of x through taps, one for each of up to three dims: [kernel.Resample].
func resample[T kernel.Float](to *Launches, y, x Remote, count int, taps []*kernel.Taps[T]) error {
	for len(taps) < 3 {
		taps = append([]*kernel.Taps[T]{kernel.Picked[T](1, []int32{0})}, taps...)
	}
	var start, index, weight []int64
	var in, out [3]int
	for d, t := range taps {
		before := int64(len(index))
		for _, s := range t.Start {
			start = append(start, before+int64(s))
		}
		for k, i := range t.Index {
			index = append(index, int64(i))
			weight = append(weight, int64(math.Float64bits(float64(t.Weight[k]))))
		}
		in[d], out[d] = t.In, t.Out()
	}
	var tables [3]*cuda.Place
	for i, numbers := range [][]int64{start, index, weight} {
		at, err := to.Constant(numbers)
		if err != nil {
			return err
		}
		tables[i] = at
	}
	sizes, _ := cuda.SizesOf(append(in[:], out[:]...), 0)
	n := count * size(out[:])
	return to.Launch(resampleSource.Kernel("resample", y.real()), cuda.Elements(n), y.At, x.At, tables[0], tables[1], tables[2], sizes, n)
}
