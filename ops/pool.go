package ops

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// PoolKind is what a pool makes of a window.
type PoolKind = kernel.Pooling

// The kinds of [Pool].
const (
	PoolMax  = kernel.PoolMax
	PoolMean = kernel.PoolMean
	PoolNorm = kernel.PoolNorm
)

// PoolSettings are the settings of [Pool].
type PoolSettings struct {
	Kind                              PoolKind
	Rank                              int // of the space: 1 to 3
	Kernel, Stride, Padding, Dilation Spatial
	Ceil                              bool    // a last window that is not whole counts
	LeavePad                          bool    // a mean's divisor leaves out the padding
	Divisor                           int     // a mean's, where it is not 0
	Norm                              float64 // p of PoolNorm
	// Adaptive has the windows share the input out evenly so that Output results, [InputSize] meaning the input's; Kernel and
	// what follows it are not used.
	Adaptive bool
	Output   Spatial
}

// InputSize as a size of an adaptive pool's output stands for the input's own.
const InputSize = math.MinInt

// Pool reduces windows of x, (N, C, …) or (C, …) with one to three dims of space: their largest elements, means, or p-norms. It
// is what the pools by PyTorch's names, such as [MaxPool2d], have in common. [Result] 1 of a PoolMax is the places of its elements
// within their planes, int64.
func Pool(x *gorgonia.Node, settings PoolSettings) (*gorgonia.Node, error) {
	if settings.Kind == PoolNorm && math.IsInf(settings.Norm, 0) {
		return poolOfSizes(x, settings)
	}
	return Apply(pool{settings}, x)
}

// poolOfSizes is the norm of infinite degree: the largest absolute value, or the smallest.
func poolOfSizes(x *gorgonia.Node, settings PoolSettings) (*gorgonia.Node, error) {
	smallest := settings.Norm < 0
	settings.Kind, settings.Norm = PoolMax, 0
	x, err := Abs(x)
	if err != nil {
		return nil, err
	}
	if !smallest {
		return Pool(x, settings)
	}
	if x, err = Neg(x); err != nil {
		return nil, err
	}
	if x, err = Pool(x, settings); err != nil {
		return nil, err
	}
	return Neg(x)
}

type pool struct{ Settings PoolSettings }

var poolNames = map[PoolKind]string{PoolMax: "max_pool", PoolMean: "avg_pool", PoolNorm: "lp_pool"}

func (p pool) Name() string {
	if p.Settings.Adaptive {
		return "adaptive_" + poolNames[p.Settings.Kind]
	}
	return poolNames[p.Settings.Kind]
}

func (p pool) Infer(in []Operand) ([]Operand, error) {
	x, s := in[0], &p.Settings
	if err := s.Check(); err != nil {
		return nil, err
	}
	if err := wantFloat("input", x); err != nil {
		return nil, err
	}
	planes, err := planesOf(x, s.Rank)
	if err != nil {
		return nil, err
	}
	if size(planes.size[:]) == 0 || planes.channels == 0 && !(s.Adaptive && s.Kind == PoolMean) {
		return nil, &ShapeError{What: "input", Got: x.Shape, Note: "sizes above 0 but for the batch's"}
	}
	out := Spatial{1, 1, 1}
	for d := 3 - s.Rank; d < 3; d++ {
		if out[d], err = s.output(d, planes.size[d]); err != nil {
			return nil, err
		}
	}
	shape := planes.shape(planes.channels, out)
	results := []Operand{{Shape: shape, DType: x.DType}}
	if s.Kind == PoolMax {
		results = append(results, Operand{Shape: shape, DType: tensor.Int64})
	}
	return results, nil
}

// Check refuses settings that no input fits.
func (s *PoolSettings) Check() error {
	if s.Rank < 1 || s.Rank > 3 {
		return &ValueError{What: "rank", Got: fmt.Sprint(s.Rank), Want: "1, 2 or 3"}
	}
	if s.Adaptive {
		for d, n := range s.Output[3-s.Rank:] {
			if n < 0 && n != InputSize {
				return &ValueError{What: "output_size", Got: fmt.Sprint(n), Want: fmt.Sprintf("0 or more in place %d", d)}
			}
		}
		return nil
	}
	for _, setting := range []struct {
		name  string
		value Spatial
		least int
	}{{"kernel_size", s.Kernel, 1}, {"stride", s.Stride, 1}, {"padding", s.Padding, 0}, {"dilation", s.Dilation, 1}} {
		if err := setting.value.least(setting.name, s.Rank, setting.least); err != nil {
			return err
		}
	}
	for d := 3 - s.Rank; d < 3; d++ {
		if half := s.Kernel[d] / 2; s.Padding[d] > half {
			return &ValueError{What: "padding", Got: fmt.Sprint(s.Padding[d]), Want: fmt.Sprintf("at most half of the kernel's size, %d", half)}
		}
	}
	if s.Kind == PoolNorm && s.Norm == 0 {
		return &ValueError{What: "norm_type", Got: "0", Want: "another number"}
	}
	return nil
}

// output is the size of a dim of the result.
func (s *PoolSettings) output(d, n int) (int, error) {
	if s.Adaptive {
		if s.Output[d] == InputSize {
			return n, nil
		}
		return s.Output[d], nil
	}
	field := s.Dilation[d]*(s.Kernel[d]-1) + 1
	room := n + 2*s.Padding[d] - field
	if s.Ceil {
		room += s.Stride[d] - 1
	}
	out := room/s.Stride[d] + 1
	if room < 0 || s.Rank == 3 && s.Kind != PoolMax && n < field { // volumes must hold the kernel without padding
		out = 0
	}
	if s.Ceil && (out-1)*s.Stride[d] >= n+s.Padding[d] {
		out-- // the last window would begin in the padding
	}
	if out < 1 {
		return 0, &ShapeError{What: "padded input", Got: []int{n + 2*s.Padding[d]}, Note: fmt.Sprintf("at least the kernel's %d", field)}
	}
	return out, nil
}

// spans are the windows of a dim of n elements.
func (s *PoolSettings) spans(d, n, out int) []kernel.Span {
	spans := make([]kernel.Span, out)
	for i := range spans {
		if s.Adaptive || d < 3-s.Rank {
			from, to := i*n/out, ((i+1)*n+out-1)/out
			spans[i] = kernel.Span{From: from, To: to, Step: 1, Divisor: to - from}
			continue
		}
		from := i*s.Stride[d] - s.Padding[d]
		padded := min(from+s.Kernel[d], n+s.Padding[d]) - from
		to := min(from+s.Dilation[d]*(s.Kernel[d]-1)+1, n)
		for from < 0 {
			from += s.Dilation[d]
		}
		if s.LeavePad {
			padded = to - from
		}
		spans[i] = kernel.Span{From: from, To: to, Step: s.Dilation[d], Divisor: padded}
	}
	return spans
}

// kernel is the pool in the kernel's terms, and its number of planes.
func (p pool) kernel(x, y *Array) (k kernel.Pool, count int) {
	s := &p.Settings
	in, _ := planesOf(Operand{Shape: x.Shape}, s.Rank)
	out, _ := planesOf(Operand{Shape: y.Shape}, s.Rank)
	k = kernel.Pool{Kind: s.Kind, Input: in.size, Divisor: s.Divisor, Norm: s.Norm, Taps: size(s.Kernel[3-s.Rank:])}
	k.Windows = s.windows(in.size, out.size)
	return k, in.count()
}

var windows memo[windowsKey, kernel.Windows]

type windowsKey struct {
	settings PoolSettings
	in, out  [3]int
}

// windows are the spans of all dims.
func (s *PoolSettings) windows(in, out [3]int) kernel.Windows {
	key := windowsKey{*s, in, out}
	w, ok := windows.find(key)
	if !ok {
		for d := range w {
			w[d] = s.spans(d, in[d], out[d])
		}
		windows.keep(key, w)
	}
	return w
}

// Optional has the places of the maxima left out where nobody reads them.
func (pool) Optional(output int) bool { return output == 1 }

func (p pool) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runPool[float32](p, in, out); return nil },
		func() error { runPool[float64](p, in, out); return nil })
}

func runPool[T kernel.Float](p pool, in, out []*Array) {
	k, count := p.kernel(in[0], out[0])
	var indices []int64
	if len(out) > 1 && out[1] != nil {
		indices = Slice[int64](out[1])
	}
	kernel.PoolPlanes(&k, Slice[T](out[0]), indices, Slice[T](in[0]), count)
}

func (p pool) Gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	switch p.Settings.Kind {
	case PoolMax:
		return maxPoolGradientOf(p.Settings.Rank, in, out, grad)
	case PoolNorm:
		return one(Apply(poolGradient{Pool: p}, grad, in[0], out))
	}
	return one(Apply(poolGradient{Pool: p}, grad, in[0]))
}

func (pool) Differentiable([]Operand) []bool { return []bool{true} }

// poolGradient is dx from dy; x gives the shape, and with y the values that a norm's gradient needs.
type poolGradient struct {
	noGradient
	Pool pool
}

func (p poolGradient) Name() string { return p.Pool.Name() + "_grad" }

func (poolGradient) Infer(in []Operand) ([]Operand, error) { return in[1:2:2], nil }

func (p poolGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runPoolGradient[float32](p.Pool, in, out); return nil },
		func() error { runPoolGradient[float64](p.Pool, in, out); return nil })
}

func runPoolGradient[T kernel.Float](p pool, in, out []*Array) {
	k, count := p.kernel(in[1], in[0])
	var y []T
	if p.Settings.Kind == PoolNorm {
		y = Slice[T](in[2])
	}
	kernel.PoolPlanesGrad(&k, Slice[T](out[0]), Slice[T](in[0]), Slice[T](in[1]), y, count)
}

// maxPoolGradientOf is the gradient of an operation whose second result says where its elements were found.
func maxPoolGradientOf(rank int, in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	indices, err := Result(out, 1)
	if err != nil {
		return nil, err
	}
	return one(Apply(maxPoolGradient{Rank: rank}, grad, in[0], indices))
}

// maxPoolGradient adds each element of dy to the place in its plane where the largest element was; x gives only the shape.
type maxPoolGradient struct {
	noGradient
	Rank int
}

func (maxPoolGradient) Name() string { return "max_pool_grad" }

func (maxPoolGradient) Infer(in []Operand) ([]Operand, error) { return in[1:2:2], nil }

func (m maxPoolGradient) Run(in, out []*Array) error {
	return float(out[0],
		func() error { runMaxPoolGradient[float32](m.Rank, in, out); return nil },
		func() error { runMaxPoolGradient[float64](m.Rank, in, out); return nil })
}

func runMaxPoolGradient[T kernel.Float](rank int, in, out []*Array) {
	x, _ := planesOf(Operand{Shape: in[1].Shape}, rank)
	y, _ := planesOf(Operand{Shape: in[0].Shape}, rank)
	kernel.MaxPoolGrad(Slice[T](out[0]), Slice[T](in[0]), Slice[int64](in[2]), x.count(), size(x.size[:]), size(y.size[:]))
}
