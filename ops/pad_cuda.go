//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var padSource = cuda.NewSource("pad", `
// y (count, b0, b1, b2) takes from x (count, a0, a1, a2) by the index of each dim, one after the other in index; -1 is value.
extern "C" __global__ void select(T *y, const T *x, const i64 *index, double value, i64 count, i64 a0, i64 a1, i64 a2, i64 b0, i64 b1, i64 b2) {
	EACH(i, count * b0 * b1 * b2) {
		i64 k = i % b2, j = i / b2 % b1, h = i / (b2 * b1) % b0, c = i / (b2 * b1 * b0);
		i64 f = index[h], g = index[b0 + j], e = index[b0 + b1 + k];
		y[i] = f < 0 || g < 0 || e < 0 ? T(value) : x[((c * a0 + f) * a1 + g) * a2 + e];
	}
}

// dx adds up what was taken of each element: of each dim, begin tells which places of list took it.
extern "C" __global__ void gather(T *dx, const T *dy, const i64 *begin, const i64 *list, i64 count, i64 a0, i64 a1, i64 a2, i64 b0, i64 b1, i64 b2) {
	EACH(i, count * a0 * a1 * a2) {
		i64 k = i % a2, j = i / a2 % a1, h = i / (a2 * a1) % a0, c = i / (a2 * a1 * a0);
		const i64 *first = begin + h, *second = begin + a0 + 1 + j, *third = begin + a0 + a1 + 2 + k;
		T sum = 0;
		for (i64 f = first[0]; f < first[1]; f++)
			for (i64 g = second[0]; g < second[1]; g++)
				for (i64 e = third[0]; e < third[1]; e++)
					sum += dy[((c * b0 + list[f]) * b1 + list[b0 + g]) * b2 + list[b0 + b1 + e]];
		dx[i] = sum;
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
	count, a, index := p.Pad.index3(out[0].Shape)
	var begin, list []int64
	for d, of := range index {
		at := int64(0)
		for i := range a[d] {
			begin = append(begin, at)
			for place, source := range of {
				if int(source) == i {
					list = append(list, int64(place))
					at++
				}
			}
		}
		begin = append(begin, at)
		for range len(of) - int(at) { // nobody's: each dim has as many places as y
			list = append(list, 0)
		}
	}
	begins, err := to.Constant(begin)
	if err != nil {
		return err
	}
	lists, err := to.Constant(list)
	if err != nil {
		return err
	}
	return to.Launch(padSource.Kernel("gather", out[0].real()), cuda.Elements(out[0].Size()), out[0].At, in[0].At, begins, lists,
		count, a[0], a[1], a[2], len(index[0]), len(index[1]), len(index[2]))
}
