//go:build gpu

package ops

import (
	"math"

	"github.com/seed-70b75153/aegis/cuda"
)

var dropoutSource = cuda.NewSource("dropout", `
// A choice whose word is below the limit is dropped; each has so many elements. A thread has the four of one block of words.
extern "C" __global__ void dropout(T *y, const T *x, const i64 *draw, i64 limit, double scale, double shift, double droppedShift,
	i64 n, i64 each) {
	EACH(block, (n + 3) / 4) {
		u32 words[4];
		philox(draw, block, words);
		for (int k = 0; k < 4 && block * 4 + k < n; k++)
			for (i64 i = (block * 4 + k) * each; i < (block * 4 + k + 1) * each; i++)
				y[i] = (i64)words[k] < limit ? x[i] * 0 + T(droppedShift) : x[i] * T(scale) + T(shift);
	}
}
`)

func (d dropout) Launch(to *Launches, in, out []Remote) error {
	kept, dropped := lines[float64](d)
	n, each, limit := out[0].Size(), 1, int64(math.Round(d.P*(1<<32)))
	if d.Dims > 0 && n > 0 {
		each = size(in[0].Shape[d.Dims:])
		n /= each
	}
	return to.Launch(dropoutSource.Kernel("dropout", out[0].real()), cuda.Elements((n+3)/4), out[0].At, in[0].At, in[1].At,
		limit, kept.scale, kept.shift, dropped.shift, n, each)
}
