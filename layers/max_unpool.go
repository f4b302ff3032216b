package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	Register[MaxUnpoolLayer[D1]]("MaxUnpool1d")
	Register[MaxUnpoolLayer[D2]]("MaxUnpool2d")
	Register[MaxUnpoolLayer[D3]]("MaxUnpool3d")
}

// MaxUnpoolLayer is made by [MaxUnpool1d], [MaxUnpool2d] and [MaxUnpool3d].
type MaxUnpoolLayer[R Rank] struct {
	stateless
	Kernel spec.Extent `torch:"kernel_size"`
	Steps  spec.Extent `torch:"stride=null"`
	Pad    spec.Extent `torch:"padding=0"`
	Size   spec.Extent `torch:"output_size=null;forward"`
}

// MaxUnpool1d undoes [MaxPool1d] of the same settings as far as that can be: inputs are its outputs, (N, C, L) or (C, L)
// and the indices, int64; the output has each element where it was found and 0 elsewhere. Lout = (L - 1)·stride - 2·padding +
// kernel_size. An index outside is an [ops.IndexError].
//
//	out := sequential.New(layers.MaxUnpool1d(2)).Call(y, indices)[0]
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxUnpool1d.html.
func MaxUnpool1d(kernelSize ...int) MaxUnpoolLayer[D1] { return maxUnpool[D1](kernelSize) }

// MaxUnpool2d is [MaxUnpool1d] for images: settings of one number, or one for the height and one for the width.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxUnpool2d.html.
func MaxUnpool2d(kernelSize ...int) MaxUnpoolLayer[D2] { return maxUnpool[D2](kernelSize) }

// MaxUnpool3d is [MaxUnpool1d] for volumes: settings of one number or three.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxUnpool3d.html.
func MaxUnpool3d(kernelSize ...int) MaxUnpoolLayer[D3] { return maxUnpool[D3](kernelSize) }

func maxUnpool[R Rank](kernelSize []int) MaxUnpoolLayer[R] {
	return MaxUnpoolLayer[R]{Kernel: spec.ExtentOf(kernelSize...), Pad: spec.ExtentOf(0)}
}

// Stride is the pool's; the default is the kernel's size.
func (l MaxUnpoolLayer[R]) Stride(stride ...int) MaxUnpoolLayer[R] {
	l.Steps = spec.ExtentOf(stride...)
	return l
}

// Padding is the pool's.
func (l MaxUnpoolLayer[R]) Padding(padding ...int) MaxUnpoolLayer[R] {
	l.Pad = spec.ExtentOf(padding...)
	return l
}

// OutputSize sets the size of the output where several would do: less than a stride from the default.
func (l MaxUnpoolLayer[R]) OutputSize(size ...int) MaxUnpoolLayer[R] {
	l.Size = spec.ExtentOf(size...)
	if len(size) == 1 {
		l.Size = l.Size.Tuple(1)
	}
	return l
}

// Inputs are what a max pool gives.
func (MaxUnpoolLayer[R]) Inputs() []string { return []string{"input", "indices"} }

// Outputs are the output.
func (MaxUnpoolLayer[R]) Outputs() []string { return []string{"output"} }

// Forward fails: there must be indices.
func (l MaxUnpoolLayer[R]) Forward(scope *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return first(l, scope, x)
}

func (l MaxUnpoolLayer[R]) settings() (ops.PoolSettings, error) {
	return windows(ops.PoolMax, spatial[R](), l.Kernel, l.Steps, l.Pad, spec.Extent{}, false)
}

// Call is [ops.MaxUnpool].
func (l MaxUnpoolLayer[R]) Call(_ *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	if err := need(l, in, 2); err != nil {
		return nil, err
	}
	s, err := l.settings()
	if err != nil {
		return nil, err
	}
	size, err := ops.UnpooledSize(in[0].Shape(), s, l.Size.List())
	if err != nil {
		return nil, err
	}
	y, err := ops.MaxUnpool(in[0], in[1], s.Rank, size)
	return []*gorgonia.Node{y}, err
}

// Check refuses what no input fits.
func (l MaxUnpoolLayer[R]) Check() error {
	s, err := l.settings()
	if err != nil {
		return err
	}
	s.Kernel = ops.Spatial{1, 1, 1} // any size will do
	s.Padding = ops.Spatial{}
	return s.Check()
}

// String is PyTorch's, which keeps tuples.
func (l MaxUnpoolLayer[R]) String() string {
	if !l.Steps.Set() {
		l.Steps = l.Kernel
	}
	rank := spatial[R]()
	l.Kernel, l.Steps, l.Pad = l.Kernel.Tuple(rank), l.Steps.Tuple(rank), l.Pad.Tuple(rank)
	return repr(l)
}
