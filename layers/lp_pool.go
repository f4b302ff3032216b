package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

func init() {
	Register[LPPoolLayer[D1]]("LPPool1d")
	Register[LPPoolLayer[D2]]("LPPool2d")
	Register[LPPoolLayer[D3]]("LPPool3d")
}

// LPPoolLayer is made by [LPPool1d], [LPPool2d] and [LPPool3d].
type LPPoolLayer[R Rank] struct {
	stateless
	Norm   number      `torch:"norm_type"`
	Kernel spec.Extent `torch:"kernel_size"`
	Steps  spec.Extent `torch:"stride=null"`
	Ceil   bool        `torch:"ceil_mode=false"`
}

// LPPool1d is the p-norm of each window, (Σ x^p)^(1/p), p = norm_type: input (N, C, L) or (C, L), output (N, C, Lout),
// Lout = ⌊(L - kernel_size)/stride + 1⌋, float32 or float64. The default stride is kernel_size. Where the sum is 0, so is the
// gradient; p = 0 is an [ops.ValueError].
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.LPPool1d.html.
func LPPool1d(normType float64, kernelSize ...int) LPPoolLayer[D1] {
	return LPPoolLayer[D1]{Norm: number(normType), Kernel: spec.ExtentOf(kernelSize...)}
}

// LPPool2d is [LPPool1d] for images, (N, C, H, W) or (C, H, W): settings of one number or two.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.LPPool2d.html.
func LPPool2d(normType float64, kernelSize ...int) LPPoolLayer[D2] {
	return LPPoolLayer[D2]{Norm: number(normType), Kernel: spec.ExtentOf(kernelSize...)}
}

// LPPool3d is [LPPool1d] for volumes, (N, C, D, H, W) or (C, D, H, W): settings of one number or three.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.LPPool3d.html.
func LPPool3d(normType float64, kernelSize ...int) LPPoolLayer[D3] {
	return LPPoolLayer[D3]{Norm: number(normType), Kernel: spec.ExtentOf(kernelSize...)}
}

// Stride sets how far the windows are apart; the default is the kernel's size.
func (l LPPoolLayer[R]) Stride(stride ...int) LPPoolLayer[R] {
	l.Steps = spec.ExtentOf(stride...)
	return l
}

// CeilMode has a last window that is not whole count.
func (l LPPoolLayer[R]) CeilMode(on bool) LPPoolLayer[R] {
	l.Ceil = on
	return l
}

func (l LPPoolLayer[R]) settings() (ops.PoolSettings, error) {
	s, err := windows(ops.PoolNorm, spatial[R](), l.Kernel, l.Steps, spec.Extent{}, spec.Extent{}, l.Ceil)
	s.Norm = float64(l.Norm)
	return s, err
}

// Forward is [ops.Pool].
func (l LPPoolLayer[R]) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	s, err := l.settings()
	return pooled(x, s, err)
}

// Check refuses what no input fits.
func (l LPPoolLayer[R]) Check() error {
	s, err := l.settings()
	return checkedPool(s, err)
}

func (l LPPoolLayer[R]) String() string { return repr(l) }
