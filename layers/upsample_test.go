package layers_test

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"
	"pgregory.net/rapid"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/internal/spec"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

var square = data.Of([][][][]float32{{{{1, 2}, {3, 4}}}})

// enlarge prints what a layer makes of a square.
func enlarge(l layers.Layer) { fmt.Println(sequential.New(l).Forward(square)) }

func ExampleUpsample() {
	enlarge(layers.Upsample().ScaleFactor(2))
	enlarge(layers.Upsample().ScaleFactor(2).Mode("bilinear"))
	enlarge(layers.Upsample().Size(2, 3).Mode("bicubic").AlignCorners(true))
	enlarge(layers.Upsample().ScaleFactor(2).Mode("linear"))
	// Output:
	// tensor([[[[1., 1., 2., 2.],
	//           [1., 1., 2., 2.],
	//           [3., 3., 4., 4.],
	//           [3., 3., 4., 4.]]]])
	// tensor([[[[1.0000, 1.2500, 1.7500, 2.0000],
	//           [1.5000, 1.7500, 2.2500, 2.5000],
	//           [2.5000, 2.7500, 3.2500, 3.5000],
	//           [3.0000, 3.2500, 3.7500, 4.0000]]]])
	// tensor([[[[1.0000, 1.5000, 2.0000],
	//           [3.0000, 3.5000, 4.0000]]]])
	// <0: Upsample(scale_factor=2.0, mode='linear'): input (1, 1, 2, 2), want 3 dims for mode linear>
}

func ExampleUpsamplingNearest2d() {
	enlarge(layers.UpsamplingNearest2d().Size(3))
	// Output:
	// tensor([[[[1., 1., 2.],
	//           [1., 1., 2.],
	//           [3., 3., 4.]]]])
}

func ExampleUpsamplingBilinear2d() {
	enlarge(layers.UpsamplingBilinear2d().ScaleFactor(2))
	// Output:
	// tensor([[[[1.0000, 1.3333, 1.6667, 2.0000],
	//           [1.6667, 2.0000, 2.3333, 2.6667],
	//           [2.3333, 2.6667, 3.0000, 3.3333],
	//           [3.0000, 3.3333, 3.6667, 4.0000]]]])
}

func TestUpsamplingsPrintAsInPyTorch(t *testing.T) {
	for want, l := range map[string]layers.Layer{
		"Upsample(scale_factor=2.0, mode='nearest')":              layers.Upsample().ScaleFactor(2),
		"Upsample(size=(2, 3), mode='nearest')":                   layers.Upsample().Size(2, 3),
		"Upsample(scale_factor=(2.0, 1.5), mode='bilinear')":      layers.Upsample().ScaleFactor(2, 1.5).Mode("bilinear").AlignCorners(true).RecomputeScaleFactor(true),
		"Upsample(size=None, mode='nearest')":                     layers.Upsample().ScaleFactor(0),
		"Upsample(scale_factor=1e-07, mode='nearest')":            layers.Upsample().ScaleFactor(1e-7),
		"UpsamplingNearest2d(size=3, mode='nearest')":             layers.UpsamplingNearest2d().Size(3),
		"UpsamplingBilinear2d(scale_factor=2.0, mode='bilinear')": layers.UpsamplingBilinear2d().ScaleFactor(2),
	} {
		require.Equal(t, want, l.String())
	}
}

func TestUpsamplingsRefuse(t *testing.T) {
	up := layers.Upsample()
	var value *ops.ValueError
	for _, l := range []layers.Layer{
		up, up.ScaleFactor(0), up.Size(2).ScaleFactor(2), up.Size(2).RecomputeScaleFactor(true), up.Size(2).Mode("cubic"), up.Size(2).Mode(""), up.Size(2).AlignCorners(false), up.Size(2).Mode("area").AlignCorners(true),
		up.Size(2).Antialias(true), up.Size(2).Mode("linear").Antialias(true), up.Size(2).Mode("lanczos"), layers.UpsamplingNearest2d(), layers.UpsamplingBilinear2d().Size(2).ScaleFactor(1),
	} {
		require.ErrorAs(t, sequential.New(l).Err(), &value, "%v", l)
	}
	x := zerosOf(1, 2, 3, 3)
	for _, l := range []layers.Layer{
		up.Size(0), up.Size(2, -1), up.Size(1 << 60), up.ScaleFactor(0.3), up.ScaleFactor(-1), up.ScaleFactor(2, 0), up.ScaleFactor(math.Inf(1)), up.ScaleFactor(math.NaN()), up.ScaleFactor(1e300), up.Mode("area").Size(-1), up.Mode("area").ScaleFactor(-1), up.Mode("area").Size(math.MinInt),
	} {
		_, err := sequential.New(l).Forward(x).Value()
		require.ErrorAs(t, err, &value, "%v", l)
	}
	for _, l := range []layers.Layer{up.Size(2, 2, 2), up.ScaleFactor(2, 2, 2), up.Mode("area").Size(1, 2, 3, 4), up.Size(1, 2, 3, 4, 5, 6, 7)} {
		var argument *spec.ArgumentError
		_, err := sequential.New(l).Forward(x).Value()
		require.ErrorAs(t, err, &argument, "%v", l)
	}
	var shape *ops.ShapeError
	for _, c := range []struct {
		layer layers.Layer
		shape []int
	}{
		{up.Size(2), []int{3, 3}}, {up.Size(2), []int{3}}, {up.Size(2), nil}, {up.Size(2), []int{1, 1, 2, 2, 2, 2}}, {up.Size(2), []int{1, 0, 2}}, {up.Size(2), []int{1, 1, 0}}, {up.Size(2), []int{0, 1, 0}},
		{up.Size(2).Mode("linear"), []int{1, 1, 2, 2}}, {up.Size(2).Mode("bilinear"), []int{1, 1, 2}}, {up.Size(2).Mode("bicubic"), []int{1, 1, 2, 2, 2}}, {up.Size(2).Mode("trilinear"), []int{1, 1, 2, 2}}, {up.Size(2).Mode("area"), []int{1, 1, 0}},
		{layers.UpsamplingBilinear2d().Size(2), []int{1, 1, 2}},
	} {
		_, err := sequential.New(c.layer).Forward(zerosOf(c.shape...)).Value()
		require.ErrorAs(t, err, &shape, "%v of %v", c.layer, c.shape)
	}
	var dtype *ops.DTypeError
	_, err := sequential.New(up.Size(2)).Forward(graph.FromArray(ops.ArrayOf(make([]int64, 3), []int{1, 1, 3}))).Value()
	require.ErrorAs(t, err, &dtype)
}

func TestUpsamplingsAreSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	model := sequential.New(
		layers.Upsample().ScaleFactor(2, 1.5).Mode("bilinear").AlignCorners(true), layers.Upsample().ScaleFactor(0.7).Mode("bicubic").Antialias(true).RecomputeScaleFactor(false),
		layers.Upsample().Size(4, 4), layers.UpsamplingNearest2d().Size(8), layers.UpsamplingBilinear2d().ScaleFactor(2), layers.PixelUnshuffle(2), layers.ChannelShuffle(2), layers.PixelShuffle(2),
		layers.Unfold(2, 4).Stride(2).Padding(1, 0), layers.Fold([]int{16}, 2, 4).Stride(2).Padding(1, 0),
	)
	require.NoError(t, model.Save(path))
	loaded, err := sequential.Load(path)
	require.NoError(t, err)
	require.Equal(t, model.String(), loaded.String())
	for i := range model.Len() {
		require.Equal(t, model.At(i).Layer(), loaded.At(i).Layer())
	}
}

// point is where element o of n stands among m, of which one is given from outside: a plain reading of the documentation.
func point(o, n, m int, scale float64, aligned bool) float64 {
	switch {
	case aligned && m == 1:
		return 0
	case aligned:
		return float64(o) * float64(n-1) / float64(m-1)
	case scale != 0:
		return (float64(o)+0.5)/scale - 0.5
	}
	return (float64(o)+0.5)*float64(n)/float64(m) - 0.5
}

// mixed gives how much each of n elements counts in element o of m.
func mixed(mode string, o, n, m int, scale float64, aligned bool) []float64 {
	weights := make([]float64, n)
	if mode == "area" {
		from, to := o*n/m, ((o+1)*n+m-1)/m
		for i := from; i < to; i++ {
			weights[i] = 1 / float64(to-from)
		}
		return weights
	}
	add := func(i int, w float64) { weights[min(max(i, 0), n-1)] += w }
	at := point(o, n, m, scale, aligned)
	i := int(math.Floor(at))
	t := at - float64(i)
	switch mode {
	case "nearest":
		ratio := float64(n) / float64(m)
		if scale != 0 {
			ratio = 1 / scale
		}
		add(int(math.Floor(float64(o)*ratio)), 1)
	case "nearest-exact":
		add(int(math.Floor(at+0.5)), 1)
	case "bicubic":
		const a = -0.75
		near := func(x float64) float64 { return (a+2)*x*x*x - (a+3)*x*x + 1 }
		far := func(x float64) float64 { return a*x*x*x - 5*a*x*x + 8*a*x - 4*a }
		for k, w := range []float64{far(1 + t), near(t), near(1 - t), far(2 - t)} {
			add(i-1+k, w)
		}
	default:
		add(i, 1-t)
		add(i+1, t)
	}
	return weights
}

// Whatever is made larger or smaller, there is a clear error, or what the documentation's formulas give, and the gradient that
// belongs to it. No factor is nearly 1 or 2, where PyTorch takes the nearest element by rules of its own, which are recorded.
func TestUpsamplingsAsAPlainLoop(t *testing.T) {
	modes := map[int][]string{1: {"nearest", "nearest-exact", "linear", "area"}, 2: {"nearest", "nearest-exact", "bilinear", "bicubic", "area"}, 3: {"nearest", "nearest-exact", "trilinear", "area"}}
	rapid.Check(t, func(t *rapid.T) {
		rank := rapid.IntRange(1, 3).Draw(t, "rank")
		shape := rapid.SliceOfN(rapid.IntRange(1, 6), rank+2, rank+2).Draw(t, "shape")
		mode := rapid.SampledFrom(modes[rank]).Draw(t, "mode")
		l := layers.Upsample().Mode(mode)
		size, scale := make([]int, rank), make([]float64, rank)
		aligned := false
		if mode != "area" && mode[:4] != "near" && rapid.Bool().Draw(t, "align") {
			aligned = rapid.Bool().Draw(t, "aligned")
			l = l.AlignCorners(aligned)
		}
		if rapid.Bool().Draw(t, "by size") {
			size = rapid.SliceOfN(rapid.IntRange(0, 9), rank, rank).Draw(t, "size")
			l = l.Size(size...)
		} else {
			for d := range scale {
				scale[d] = rapid.SampledFrom([]float64{0.25, 0.5, 1, 1.5, 2, 2.5, 3}).Draw(t, "scale")
				size[d] = int(scale[d] * float64(shape[2+d]))
			}
			l = l.ScaleFactor(scale...)
			if rapid.Bool().Draw(t, "recompute") || mode == "area" {
				l = l.RecomputeScaleFactor(true)
				scale = make([]float64, rank)
			}
		}
		x := counted(shape...).RequiresGrad()
		y := sequential.NewFrom(random.New(1), tensor.Float64, l).Forward(x)
		got, err := y.Array()
		if err != nil {
			var wrong *ops.ValueError
			require.ErrorAs(t, err, &wrong)
			require.Contains(t, size, 0)
			return
		}
		require.Equal(t, size, got.Shape[2:])
		require.NoError(t, y.Backward(counted(got.Shape...)))
		gradient, err := x.Grad().Floats()
		require.NoError(t, err)
		want := make([]float64, len(gradient))
		each(got.Shape, func(at int, to []int) {
			weights := make([][]float64, rank)
			for d := range weights {
				weights[d] = mixed(mode, to[2+d], shape[2+d], size[d], scale[d], aligned)
			}
			sum := 0.0
			each(shape[2:], func(_ int, from []int) {
				w, place := 1.0, to[0]*shape[1]+to[1]
				for d, i := range from {
					w *= weights[d][i]
					place = place*shape[2+d] + i
				}
				sum += w * float64(place+1)
				want[place] += w * float64(at+1)
			})
			require.InDelta(t, sum, ops.Slice[float64](got)[at], 1e-9*(1+math.Abs(sum)), "%v at %v", l, to)
		})
		for i := range want {
			require.InDelta(t, want[i], gradient[i], 1e-9*(1+math.Abs(want[i])), "gradient of %v at %d", l, i)
		}
	})
}
