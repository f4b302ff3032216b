package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

func init() { Register[HardtanhLayer]("Hardtanh") }

// HardtanhLayer is made by [Hardtanh]. InPlace changes only what is printed: memory is planned anyway.
type HardtanhLayer struct {
	stateless
	Low     float64 `torch:"min_val=-1.0"`
	High    float64 `torch:"max_val=1.0"`
	InPlace bool    `torch:"inplace=false;hidden"`
	OldLow  *bool   `torch:"min_value=null;ignored"`
	OldHigh *bool   `torch:"max_value=null;ignored"`
}

// Hardtanh is min(max(x, min_val), max_val) with limits -1 and 1, element by element: any shape, float32 or float64.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardtanh.html.
func Hardtanh() HardtanhLayer { return HardtanhLayer{Low: -1, High: 1} }

// Limits sets min_val and max_val, the first being the smaller.
func (l HardtanhLayer) Limits(low, high float64) HardtanhLayer {
	l.Low, l.High = low, high
	return l
}

// Forward is [ops.Hardtanh].
func (l HardtanhLayer) Forward(_ *graph.Scope, x *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Hardtanh(x, l.Low, l.High)
}

// Check wants the limits in order.
func (l HardtanhLayer) Check() error {
	if !(l.Low < l.High) {
		return &ops.ValueError{What: "max_val", Got: fmt.Sprint(l.High), Want: fmt.Sprintf("above min_val %v", l.Low)}
	}
	return nil
}

func (l HardtanhLayer) String() string { return repr(l) }
