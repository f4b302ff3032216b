//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var rreluSource = cuda.NewSource("rrelu", `
// A thread has the four elements of one block of words.
extern "C" __global__ void rrelu(T *y, T *slope, const T *x, const i64 *draw, double lower, double upper, i64 n) {
	EACH(block, (n + 3) / 4) {
		u32 words[4];
		philox(draw, block, words);
		for (int k = 0; k < 4 && block * 4 + k < n; k++) {
			i64 i = block * 4 + k;
			slope[i] = x[i] <= 0 ? T(lower + (upper - lower) * words[k] * 2.3283064365386963e-10) : T(1);
			y[i] = x[i] * slope[i];
		}
	}
}
`)

func (r rrelu) Launch(to *Launches, in, out []Remote) error {
	n := out[0].Size()
	return to.Launch(rreluSource.Kernel("rrelu", out[0].real()), cuda.Elements((n+3)/4), out[0].At, out[1].At, in[0].At, in[1].At, r.Lower, r.Upper, n)
}
