//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

// What only moves elements, of any dtype.
var shapeSource = cuda.NewSource("shape", `
// A run of n elements a time: run i from x at i·strideX to y at i·strideY.
extern "C" __global__ void runs(T *y, i64 strideY, const T *x, i64 strideX, i64 n, i64 times) {
	EACH(i, n * times) y[i / n * strideY + i % n] = x[i / n * strideX + i % n];
}

// x read by strides.
extern "C" __global__ void strided(T *y, const T *x, Sizes shape, Sizes strides, i64 n) {
	EACH(i, n) {
		i64 rest = i, at = 0;
		for (int d = 7; d >= 0; d--) {
			at += rest % shape.at[d] * strides.at[d];
			rest /= shape.at[d];
		}
		y[i] = x[at];
	}
}
`).Moves()

// runs copies runs of n elements: run i from x at i·strideX+fromX to y at i·strideY+fromY.
func (l *Launches) runs(y Remote, strideY, fromY int, x Remote, strideX, fromX, n, times int) error {
	size := y.real().Bytes()
	return l.Launch(shapeSource.Kernel("runs", y.real()), cuda.Elements(n*times),
		y.At.Plus(fromY*size), strideY, x.At.Plus(fromX*size), strideX, n, times)
}

func (p permute) Launch(to *Launches, in, out []Remote) error {
	size, stride := p.strides(new(permuteSizes), in[0].Shape)
	return to.strided(out[0], in[0], size, stride)
}

func (n narrow) Launch(to *Launches, in, out []Remote) error {
	outer, size, inner := split(in[0].Shape, n.Dim)
	return to.runs(out[0], n.Length*inner, 0, in[0], size*inner, n.Start*inner, n.Length*inner, outer)
}

func (w widen) Launch(to *Launches, in, out []Remote) error {
	outer, size, inner := split(out[0].Shape, w.narrow.Dim)
	n := w.narrow.Length * inner
	to.Zero(out[0].At, out[0].bytes())
	return to.runs(out[0], size*inner, w.narrow.Start*inner, in[0], n, 0, n, outer)
}

func (c concat) Launch(to *Launches, in, out []Remote) error {
	outer, size, inner := split(out[0].Shape, c.Dim)
	at := 0
	for _, x := range in {
		n := x.Shape[c.Dim] * inner
		if err := to.runs(out[0], size*inner, at, x, n, 0, n, outer); err != nil {
			return err
		}
		at += n
	}
	return nil
}

func (e expand) Launch(to *Launches, in, out []Remote) error {
	return to.strided(out[0], in[0], out[0].Shape, broadcastStrides(in[0].Shape, out[0].Shape))
}

// strided copies x, read by strides for each dim of y, whose sizes are given.
func (l *Launches) strided(y, x Remote, size, stride []int) error {
	sizes, err := cuda.SizesOf(size, 1)
	if err != nil {
		return err
	}
	strides, _ := cuda.SizesOf(stride, 0)
	n := y.Size()
	return l.Launch(shapeSource.Kernel("strided", y.real()), cuda.Elements(n), y.At, x.At, sizes, strides, n)
}
