//go:build gpu

package ops

import (
	"math"

	"github.com/seed-70b75153/aegis/cuda"
)

// The words are random.Philox's, so that the same draw drops the same elements as on the CPU.
var dropoutSource = cuda.NewSource("dropout", `
__device__ inline void philox(u64 seed, u64 stream, u64 index, u32 *c) {
	u32 k0 = (u32)seed, k1 = (u32)(seed >> 32);
	c[0] = (u32)index; c[1] = (u32)(index >> 32); c[2] = (u32)stream; c[3] = (u32)(stream >> 32);
	for (int round = 0; round < 10; round++) {
		u64 p0 = (u64)c[0] * 0xd2511f53u, p1 = (u64)c[2] * 0xcd9e8d57u;
		u32 c0 = (u32)(p1 >> 32) ^ c[1] ^ k0, c2 = (u32)(p0 >> 32) ^ c[3] ^ k1;
		c[0] = c0; c[1] = (u32)p1; c[2] = c2; c[3] = (u32)p0;
		k0 += 0x9e3779b9u;
		k1 += 0xbb67ae85u;
	}
}

// A choice whose word is below the limit is dropped; each has so many elements. A thread has the four of one block of words.
extern "C" __global__ void dropout(T *y, const T *x, const i64 *draw, i64 limit, double scale, double shift, double droppedShift,
	i64 n, i64 each) {
	EACH(block, (n + 3) / 4) {
		u32 words[4];
		philox((u64)draw[0], (u64)draw[1], (u64)block, words);
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
