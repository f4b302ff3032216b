package layers_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

func ExampleBatchNorm1d() {
	model := sequential.New(layers.BatchNorm1d(2))
	fmt.Println(model.Forward(data.Of([][]float32{{1, 10}, {3, 30}})))
	fmt.Println(model.Param("0.running_mean").Value())
	fmt.Println(model.Forward(data.Of([][]float32{{1, 10}})))
	// Output:
	// tensor([[-1.0000, -1.0000],
	//         [ 1.0000,  1.0000]], grad_fn=<NativeBatchNormBackward0>)
	// tensor([0.2000, 2.0000])
	// <0: BatchNorm1d(2): input (1, 2), want more than one value a channel in training mode>
}

func ExampleInstanceNorm1d() {
	show(layers.Unflatten(1, 1, 3))
	fmt.Println(sequential.New(layers.InstanceNorm1d(1)).Forward(data.Of([][][]float32{{{1, 2, 3}}})))
	// Output:
	// tensor([[[-1.,  0.,  2.]]])
	// tensor([[[-1.2247,  0.0000,  1.2247]]])
}

func ExampleLayerNorm() {
	show(layers.LayerNorm(3).ElementwiseAffine(false))
	show(layers.LayerNorm(4))
	// Output:
	// tensor([[-1.0690, -0.2673,  1.3363]])
	// <0: LayerNorm((4,)): input (1, 3), want (*, 4)>
}

func ExampleRMSNorm() {
	show(layers.RMSNorm(3).ElementwiseAffine(false))
	// Output: tensor([[-0.7746,  0.0000,  1.5492]])
}

func ExampleGroupNorm() {
	fmt.Println(sequential.New(layers.GroupNorm(2, 4)).Predict(data.Of([][]float32{{1, 2, 30, 10}})))
	// Output: tensor([[-1.0000,  1.0000,  1.0000, -1.0000]])
}

func ExampleLocalResponseNorm() {
	fmt.Println(sequential.New(layers.LocalResponseNorm(2).Alpha(1)).Predict(data.Of([][][]float32{{{1}, {2}}})))
	// Output:
	// tensor([[[0.7378],
	//          [0.7816]]])
}

func ExampleDropout2d() {
	model := sequential.New(layers.Dropout2d(0.5)).Eval()
	fmt.Println(model, model.Forward(data.Of([][][]float32{{{1, 2}}})))
	// Output:
	// Sequential(
	//   (0): Dropout2d(p=0.5, inplace=False)
	// ) tensor([[[1., 2.]]])
}

func TestNormalizationsPrintAsInPyTorch(t *testing.T) {
	for want, l := range map[string]layers.Layer{
		"BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)":       layers.BatchNorm1d(3),
		"BatchNorm2d(3, eps=1e-05, momentum=None, affine=True, bias=False, track_running_stats=True)":     layers.BatchNorm2d(3).Bias(false).CumulativeAverage(),
		"BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=False)":    layers.BatchNorm2d(3).Affine(false).Track(false),
		"InstanceNorm2d(3, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=False)": layers.InstanceNorm2d(3),
		"LayerNorm((5,), eps=1e-05, elementwise_affine=True, bias=True)":                                  layers.LayerNorm(5),
		"LayerNorm((2, 3), eps=1e-05, elementwise_affine=True, bias=False)":                               layers.LayerNorm(2, 3).Bias(false),
		"LayerNorm((5,), eps=1e-05, elementwise_affine=False, bias=False)":                                layers.LayerNorm(5).ElementwiseAffine(false),
		"GroupNorm(2, 4, eps=1e-05, affine=True, bias=False)":                                             layers.GroupNorm(2, 4).Bias(false),
		"RMSNorm((5,), eps=None, elementwise_affine=True)":                                                layers.RMSNorm(5),
		"RMSNorm((2, 3), eps=0.001, elementwise_affine=False)":                                            layers.RMSNorm(2, 3).Eps(1e-3).ElementwiseAffine(false),
		"LocalResponseNorm(3, alpha=0.0001, beta=0.75, k=1.0)":                                            layers.LocalResponseNorm(3),
		"AlphaDropout(p=0.5, inplace=False)":                                                              layers.AlphaDropout(0.5),
	} {
		require.Equal(t, want, l.String())
	}
}

func TestNormalizationsRefuse(t *testing.T) {
	of := func(shape ...int) *tensor.Dense {
		return tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(shape...))
	}
	var shape *ops.ShapeError
	for _, c := range []struct {
		layer layers.Layer
		x     *tensor.Dense
	}{
		{layers.BatchNorm1d(3), of(3)}, {layers.BatchNorm1d(3), of(2, 4)}, {layers.BatchNorm1d(3), of(1, 3)}, {layers.BatchNorm2d(3), of(2, 3)},
		{layers.BatchNorm2d(3), of(1, 3, 1, 1)}, {layers.BatchNorm3d(3), of(1, 3, 2, 2)}, {layers.InstanceNorm1d(3), of(2, 3, 1)},
		{layers.InstanceNorm1d(3).Affine(true), of(2, 4, 5)}, {layers.InstanceNorm2d(3), of(2, 3)}, {layers.LayerNorm(3), of(2, 4)},
		{layers.LayerNorm(2, 3), of(3)}, {layers.RMSNorm(3), of(2, 4)}, {layers.GroupNorm(2, 4), of(2, 5)}, {layers.GroupNorm(2, 4).Affine(false), of(2, 5)},
		{layers.GroupNorm(2, 4), of(4)}, {layers.LocalResponseNorm(3), of(3, 4)}, {layers.Dropout1d(0.5), of(3)}, {layers.Dropout2d(0.5), of(3)}, {layers.FeatureAlphaDropout(0.5), of(3)},
	} {
		_, err := sequential.New(c.layer).Forward(data.Dense(c.x)).Value()
		require.ErrorAs(t, err, &shape, "%v of %v", c.layer, c.x.Shape())
	}
	var value *ops.ValueError
	for _, l := range []layers.Layer{
		layers.BatchNorm1d(-1), layers.LayerNorm(), layers.LayerNorm(1, 2, 3, 4, 5, 6, 7, 8, 9), layers.LayerNorm(-2), layers.RMSNorm(), layers.GroupNorm(2, 5),
		layers.GroupNorm(0, 4), layers.LocalResponseNorm(0), layers.Dropout1d(1.5), layers.AlphaDropout(-0.1), layers.FeatureAlphaDropout(math.NaN()),
	} {
		require.ErrorAs(t, sequential.New(l).Err(), &value, "%v", l)
	}
}

// all is a tensor of one value.
func all(v float32, shape ...int) *tensor.Dense {
	d := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(shape...))
	for i := range d.Float32s() {
		d.Float32s()[i] = v
	}
	return d
}

func TestFeatureDropoutDropsWholeChannels(t *testing.T) {
	random.Seed(3)
	for _, l := range []layers.Layer{layers.Dropout1d(0.3), layers.FeatureAlphaDropout(0.3)} {
		y, err := sequential.New(l).Forward(data.Dense(all(1, 100, 50, 4))).Floats()
		require.NoError(t, err)
		dropped := 0
		for i := 0; i < len(y); i += 4 {
			for _, v := range y[i : i+4] {
				require.InDelta(t, y[i], v, 0)
			}
			if y[i] <= 0 {
				dropped++
			}
		}
		require.InDelta(t, 0.3, float64(dropped)/5000, 0.03, "%v", l)
	}
}

func TestAlphaDropoutKeepsMeanAndVariance(t *testing.T) {
	random.Seed(4)
	x := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(200000))
	random.Normal(random.Default(), x.Float32s(), 0, 1)
	y, err := sequential.New(layers.AlphaDropout(0.2)).Forward(data.Dense(x)).Floats()
	require.NoError(t, err)
	sum, squares := 0.0, 0.0
	for _, v := range y {
		sum += v
		squares += v * v
	}
	require.InDelta(t, 0, sum/float64(len(y)), 0.02)
	require.InDelta(t, 1, squares/float64(len(y)), 0.03)
}
