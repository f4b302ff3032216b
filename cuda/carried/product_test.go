//go:build gpu

package carried

import (
	"math"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

// TestLargeProducts compares large products with sums in double precision. All terms are positive, so that errors of one kind
// would add up; they must stay those of float32: cuBLAS's own are 2e-7 to 8e-7.
func TestLargeProducts(t *testing.T) {
	g, err := cuda.Device(0).Open()
	require.NoError(t, err)
	m, n, k := 2048, 1024, 4096
	if strings.Contains(g.String(), "emulated") {
		m, n, k = 64, 32, 128
	}
	var host [2][]float32
	var at [3]*cuda.Place
	for i, count := range []int{m * k, k * n, m * n} {
		a := ops.NewArray(ops.Operand{Shape: tensor.Shape{count}, DType: tensor.Float32})
		numbers := ops.Slice[float32](&a)
		random.Uniform(random.New(uint64(i)), numbers, 0, 1)
		require.NoError(t, g.Do(func() error {
			memory, err := g.Allocate(4 * count)
			if err != nil {
				return err
			}
			at[i] = memory.At(0)
			return g.Upload(at[i], unsafe.Pointer(&numbers[0]), 4*count)
		}))
		if i < 2 {
			host[i] = numbers
		}
	}
	for _, layout := range []cuda.Layout{cuda.NN, cuda.NT, cuda.TN} {
		ours := productError(t, g, host, at, layout, m, n, k, (*cuda.Plan).Product)
		theirs := productError(t, g, host, at, layout, m, n, k, (*cuda.Plan).ByCuBLAS)
		t.Logf("layout %d, %d x %d x %d: root mean square of relative errors %.2g, by cuBLAS %.2g", layout, m, n, k, ours, theirs)
		require.Less(t, ours, 6e-7)
	}
}

// productError is the root mean square of the relative errors of some numbers of a product.
func productError(t *testing.T, g *cuda.GPU, host [2][]float32, at [3]*cuda.Place, layout cuda.Layout, m, n, k int,
	product func(p *cuda.Plan, layout cuda.Layout, real cuda.Type, m, n, k int, a, b, c *cuda.Place) error) float64 {
	t.Helper()
	c := make([]float32, m*n)
	require.NoError(t, g.Do(func() error {
		p := g.NewPlan()
		if err := product(p, layout, cuda.Float32, m, n, k, at[0], at[1], at[2]); err != nil {
			return err
		}
		if err := p.Run(); err != nil {
			return err
		}
		return g.Download(unsafe.Pointer(&c[0]), at[2], 4*len(c))
	}))
	squares, count := 0.0, 0
	for at := 0; at < m*n; at += 997 {
		i, j := at/n, at%n
		var want float64
		for l := range k {
			x, y := host[0][i*k+l], host[1][l*n+j]
			if layout == cuda.TN {
				x = host[0][l*m+i]
			}
			if layout == cuda.NT {
				y = host[1][j*k+l]
			}
			want += float64(x) * float64(y)
		}
		relative := float64(c[at])/want - 1
		require.Less(t, math.Abs(relative), 3e-6)
		squares, count = squares+relative*relative, count+1
	}
	return math.Sqrt(squares / float64(count))
}
