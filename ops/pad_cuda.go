//go:build gpu

package ops

import (
	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

var padSource = cuda.NewSource("pad", `
// y (count, b0, b1, b2) takes from x (count, a0, a1, a2) by the index of each dim, one after the other in index; -1 is value.
extern "C" __global__ void select(T *y, const T *x, const i64 *index, double value, i64 count, i64 a0, i64 a1, i64 a2, i64 b0, i64 b1, i64 b2) {
	EACH(i, count * b0 * b1 * b2) {
		i64 k = i % b2, j = i / b2 % b1, h = i / (b2 * b1) % b0, c = i / (b2 * b1 * b0);
		i64 f = index[h], g = index[b0 + j], e = index[b0 + b1 + k];
		y[i] = f < 0 || g < 0 || e < 0 ? T(value) : x[((c * a0 + f) * a1 + g) * a2 + e];
	}
}
`)

// sizes3 gives the last of up to three sizes at the end, 1 before.
func sizes3(s []int) [3]int {
	all := [3]int{1, 1, 1}
	copy(all[3-len(s):], s)
	return all
}

// index3 gives the index of each of three dims.
func (p pad) index3(shape []int) (count int, plane [3]int, index [3][]int64) {
	count, sizes, of := p.plan(shape)
	for d := range index {
		index[d] = []int64{0}
	}
	for d, list := range of {
		at := 3 - len(of) + d
		index[at] = nil
		for _, i := range list {
			index[at] = append(index[at], int64(i))
		}
	}
	return count, sizes3(sizes), index
}

func (p pad) Launch(to *Launches, in, out []Remote) error {
	count, a, index := p.index3(in[0].Shape)
	at, err := to.Constant(append(append(append([]int64{}, index[0]...), index[1]...), index[2]...))
	if err != nil {
		return err
	}
	return to.Launch(padSource.Kernel("select", out[0].real()), cuda.Elements(out[0].Size()), out[0].At, in[0].At, at, p.Settings.Value,
		count, a[0], a[1], a[2], len(index[0]), len(index[1]), len(index[2]))
}

func (p padGradient) Launch(to *Launches, in, out []Remote) error {
	count, plane, index := p.Pad.plan(out[0].Shape)
	taps := make([]*kernel.Taps[float64], len(index))
	for d, from := range index {
		taps[d] = kernel.Picked[float64](plane[d], from).Transposed()
	}
	return resample(to, out[0], in[0], count, taps)
}
