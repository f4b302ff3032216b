//go:build gpu

package ops

import (
	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/internal/kernel"
)

var layouts = map[kernel.Layout]cuda.Layout{kernel.NN: cuda.NN, kernel.NT: cuda.NT, kernel.TN: cuda.TN}

func (p matMul) Launch(to *Launches, in, out []Remote) error {
	m, n, k, _ := p.sizes(in[0].Shape, in[1].Shape)
	return to.Product(layouts[p.Layout], out[0].real(), m, n, k, in[0].At, in[1].At, out[0].At)
}
