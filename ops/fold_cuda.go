//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var foldSource = cuda.NewSource("fold", geometryText+`
// x (count, a), y (count, taps, b): what each tap of each window sees.
extern "C" __global__ void unfold(T *y, const T *x, Sizes window, Sizes steps, Sizes more, i64 count) {
	Geometry g = geometry(window, steps, more);
	i64 pixels = volume(g.b), taps = volume(g.k), all = volume(g.a);
	EACH(i, count * taps * pixels) {
		i64 from = source(g, i % pixels, i / pixels % taps);
		y[i] = from < 0 ? T(0) : x[i / (pixels * taps) * all + from];
	}
}

// The sums of what saw each element.
extern "C" __global__ void fold(T *x, const T *y, Sizes window, Sizes steps, Sizes more, i64 count) {
	Geometry g = geometry(window, steps, more);
	i64 pixels = volume(g.b), taps = volume(g.k), all = volume(g.a);
	EACH(i, count * all) {
		T sum = 0;
		for (i64 t = 0; t < taps; t++) {
			i64 from = target(g, i % all, t);
			if (from >= 0)
				sum += y[(i / all * taps + t) * pixels + from];
		}
		x[i] = sum;
	}
}
`)

// launch runs a kernel between images and their windows.
func (s *UnfoldSettings) launch(to *Launches, name string, images, y, x Remote) error {
	p, _ := planesOf(images.Operand, foldRank)
	args := []any{y.At, x.At}
	args = append(args, remoteWindow(s.window(p.size))...)
	return to.Launch(foldSource.Kernel(name, y.real()), cuda.Elements(y.Size()), append(args, p.count())...)
}

func (u unfold) Launch(to *Launches, in, out []Remote) error {
	return u.Settings.launch(to, "unfold", in[0], out[0], in[0])
}

func (f fold) Launch(to *Launches, in, out []Remote) error {
	return f.Settings.launch(to, "fold", out[0], out[0], in[0])
}
