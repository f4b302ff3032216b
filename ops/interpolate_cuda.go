//go:build gpu

package ops

import "gorgonia.org/tensor"

func (i interpolate) Launch(to *Launches, in, out []Remote) error {
	return i.launch(to, out[0], in[0], in[0].Shape, false)
}

func (i interpolateGradient) Launch(to *Launches, in, out []Remote) error {
	return i.Interpolate.launch(to, out[0], in[0], i.Input, true)
}

// launch finds the taps in the precision of the data.
func (i interpolate) launch(to *Launches, y, x Remote, input []int, back bool) error {
	count := size(input[:2])
	if y.DType == tensor.Float32 {
		return resample(to, y, x, count, tapsOf[float32](i, input, back))
	}
	return resample(to, y, x, count, tapsOf[float64](i, input, back))
}
