package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/ops"
)

// windows are the arguments that pools share. A stride of None is the kernel's size.
func windows(kind ops.PoolKind, rank int, kernel, stride, padding, dilation spec.Extent, ceil bool) (ops.PoolSettings, error) {
	s := settings{rank: rank}
	out := ops.PoolSettings{Kind: kind, Rank: rank, Ceil: ceil}
	if !kernel.Set() {
		s.err = &spec.ArgumentError{Argument: "kernel_size", Problem: "missing"}
	}
	out.Kernel = s.spatial("kernel_size", kernel, ops.Spatial{1, 1, 1})
	out.Stride = s.spatial("stride", stride, out.Kernel)
	out.Padding = s.spatial("padding", padding, ops.Spatial{})
	out.Dilation = s.spatial("dilation", dilation, ops.Spatial{1, 1, 1})
	return out, s.err
}

// pooled applies a pool to the input, once its settings are known to be right.
func pooled(x *gorgonia.Node, s ops.PoolSettings, err error) (*gorgonia.Node, error) {
	if err != nil {
		return nil, err
	}
	return ops.Pool(x, s)
}

// checkedPool gives the first mistake in a pool's settings.
func checkedPool(s ops.PoolSettings, err error) error {
	if err != nil {
		return err
	}
	return s.Check()
}

// indexed is embedded by layers that may give the places of what they found as a second output.
type indexed struct {
	stateless
}

func (indexed) Inputs() []string { return []string{"input"} }

// withIndices gives the node and, if wanted, its places.
func withIndices(y *gorgonia.Node, err error, wanted bool) ([]*gorgonia.Node, error) {
	if err != nil || !wanted {
		return []*gorgonia.Node{y}, err
	}
	indices, err := ops.Result(y, 1)
	return []*gorgonia.Node{y, indices}, err
}

func outputsWith(indices bool) []string {
	if indices {
		return []string{"output", "indices"}
	}
	return []string{"output"}
}
