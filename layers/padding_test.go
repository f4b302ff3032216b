package layers_test

import (
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

func ExampleConstantPad1d() {
	show(layers.ConstantPad1d(0.5, 1, 2))
	show(layers.ConstantPad1d(0, -1))
	// Output:
	// tensor([[ 0.5000, -1.0000,  0.0000,  2.0000,  0.5000,  0.5000]])
	// tensor([[0.]])
}

func ExampleZeroPad2d() {
	show(layers.ZeroPad2d(0, 1, 1, 0))
	// Output:
	// tensor([[ 0.,  0.,  0.,  0.],
	//         [-1.,  0.,  2.,  0.]])
}

func ExampleReflectionPad1d() {
	show(layers.ReflectionPad1d(2))
	show(layers.ReflectionPad1d(3, 0))
	// Output:
	// tensor([[ 2.,  0., -1.,  0.,  2.,  0., -1.]])
	// <0: ReflectionPad1d((3, 0)): input (1, 3), want more elements than are mirrored in dim 1 for a padding of 3 and 0>
}

func ExampleReplicationPad1d() {
	show(layers.ReplicationPad1d(2))
	// Output: tensor([[-1., -1., -1.,  0.,  2.,  2.,  2.]])
}

func ExampleCircularPad1d() {
	show(layers.CircularPad1d(2))
	// Output: tensor([[ 0.,  2., -1.,  0.,  2., -1.,  0.]])
}

func TestPaddingsPrintAsInPyTorch(t *testing.T) {
	for want, l := range map[string]layers.Layer{
		"ConstantPad1d(padding=(2, 2), value=3.5)": layers.ConstantPad1d(3.5, 2),
		"ZeroPad2d((1, 2, 3, 4))":                  layers.ZeroPad2d(1, 2, 3, 4),
		"ReflectionPad2d((2, 2, 2, 2))":            layers.ReflectionPad2d(2),
		"ReplicationPad3d((1, 1, 1, 1, 1, 1))":     layers.ReplicationPad3d(1),
		"CircularPad1d((1, 0))":                    layers.CircularPad1d(1, 0),
	} {
		require.Equal(t, want, l.String())
	}
}

func TestPaddingsRefuse(t *testing.T) {
	of := func(shape ...int) *graph.Expr {
		return graph.FromArray(ops.NewArray(ops.Operand{Shape: shape, DType: tensor.Float32}))
	}
	for _, c := range []struct {
		layer layers.Layer
		x     *graph.Expr
	}{
		{layers.ConstantPad1d(0, -2), of(2, 3)}, {layers.ZeroPad2d(1), of(3)}, {layers.ConstantPad1d(0, -4, 2), of(3)},
		{layers.ReflectionPad1d(3), of(2, 3)}, {layers.ReflectionPad1d(1), of(3)}, {layers.ReflectionPad1d(1), of(2, 2, 2, 3)}, {layers.ReflectionPad1d(-1, -2), of(2, 3)},
		{layers.ReflectionPad1d(1), of(2, 0, 3)}, {layers.ReflectionPad2d(1, 1, 0, 3), of(2, 3, 3)}, {layers.ReplicationPad1d(1), of(2, 3, 0)}, {layers.ReplicationPad1d(-2), of(2, 3)},
		{layers.ReplicationPad3d(1), of(2, 3, 4)}, {layers.CircularPad1d(4, 0), of(2, 3)}, {layers.CircularPad1d(-2, 2), of(2, 3)}, {layers.CircularPad1d(-2, -2), of(2, 3)}, {layers.CircularPad2d(1), of(2, 3)},
	} {
		var shape *ops.ShapeError
		_, err := sequential.New(c.layer).Forward(c.x).Value()
		require.ErrorAs(t, err, &shape, "%v", c.layer)
	}
	for _, l := range []layers.Layer{layers.ConstantPad1d(0), layers.ZeroPad2d(1, 2), layers.ReflectionPad3d(1, 2, 3, 4, 5, 6, 7), layers.CircularPad1d(1, 2, 3, 4, 5, 6, 7, 8, 9)} {
		var argument *spec.ArgumentError
		require.ErrorAs(t, sequential.New(l).Err(), &argument, "%v", l)
	}
	var dtype *ops.DTypeError
	_, err := sequential.New(layers.ReflectionPad1d(1)).Forward(graph.FromArray(ops.ArrayOf(make([]bool, 6), []int{2, 3}))).Value()
	require.ErrorAs(t, err, &dtype)
}

func TestPadsTakeIntegersAndBools(t *testing.T) {
	whole, err := sequential.New(layers.ConstantPad1d(7, 0, 2)).Forward(data.Of([]int64{1, 2})).Array()
	require.NoError(t, err)
	require.Equal(t, []int64{1, 2, 7, 7}, ops.Slice[int64](whole))
	marks, err := sequential.New(layers.CircularPad1d(1, 0)).Forward(graph.FromArray(ops.ArrayOf([]bool{false, true}, []int{1, 2}))).Array()
	require.NoError(t, err)
	require.Equal(t, []bool{true, false, true}, ops.Slice[bool](marks))
}

// padded is the plain meaning of padding in one dim: which of n elements comes at o, or that there is none.
func padded(mode ops.PadMode, n, before, behind, o int) int {
	i := o - before
	inside := func() bool { return i >= 0 && i < n }
	switch mode {
	case ops.PadReflect:
		for !inside() {
			if i < 0 {
				i = -i
			} else {
				i = 2*(n-1) - i
			}
		}
	case ops.PadReplicate:
		for i < 0 {
			i++
		}
		for i >= n {
			i--
		}
	case ops.PadCircular:
		low, high := max(0, -before), n-max(0, -behind)
		for i < low {
			i += high - low
		}
		for i >= high {
			i -= high - low
		}
	default:
		if !inside() {
			return -1
		}
	}
	return i
}

// Whatever is padded, there is a clear error, or what a plain loop gives, and its gradient counts where each element went.
func TestPadsAsAPlainLoop(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode := rapid.SampledFrom([]ops.PadMode{ops.PadConstant, ops.PadReflect, ops.PadReplicate, ops.PadCircular}).Draw(t, "mode")
		rank := rapid.IntRange(1, 3).Draw(t, "rank")
		shape := rapid.SliceOfN(rapid.IntRange(0, 5), rank+1, rank+2).Draw(t, "shape")
		padding := drawSizes(t, "padding", 2*rank, -3, 4)
		l := map[int]map[ops.PadMode]layers.Layer{
			1: {ops.PadConstant: layers.ConstantPad1d(9, padding...), ops.PadReflect: layers.ReflectionPad1d(padding...), ops.PadReplicate: layers.ReplicationPad1d(padding...), ops.PadCircular: layers.CircularPad1d(padding...)},
			2: {ops.PadConstant: layers.ConstantPad2d(9, padding...), ops.PadReflect: layers.ReflectionPad2d(padding...), ops.PadReplicate: layers.ReplicationPad2d(padding...), ops.PadCircular: layers.CircularPad2d(padding...)},
			3: {ops.PadConstant: layers.ConstantPad3d(9, padding...), ops.PadReflect: layers.ReflectionPad3d(padding...), ops.PadReplicate: layers.ReplicationPad3d(padding...), ops.PadCircular: layers.CircularPad3d(padding...)},
		}[rank][mode]
		x := counted(shape...).RequiresGrad()
		y := sequential.NewFrom(random.New(1), tensor.Float64, l).Forward(x)
		got, err := y.Array()
		if err != nil {
			require.True(t, isClear(err), "%T: %v", err, err)
			return
		}
		require.NoError(t, y.Sum().Backward())
		gradient, err := x.Grad().Floats()
		require.NoError(t, err)
		want := make([]float64, len(gradient))
		each(got.Shape, func(at int, point []int) {
			from := 0
			for d, o := range point {
				i := o
				if k := len(point) - 1 - d; k < rank {
					i = padded(mode, shape[d], padding[2*k], padding[2*k+1], o)
				}
				if i < 0 {
					require.InDelta(t, 9, ops.Slice[float64](got)[at], 0)
					return
				}
				from = from*shape[d] + i
			}
			require.InDelta(t, float64(from+1), ops.Slice[float64](got)[at], 0)
			want[from]++
		})
		require.Equal(t, want, gradient)
	})
}

// counted is a tensor of 1, 2, 3, ….
func counted(shape ...int) *graph.Expr {
	a := ops.NewArray(ops.Operand{Shape: shape, DType: tensor.Float64})
	for i := range ops.Slice[float64](&a) {
		ops.Slice[float64](&a)[i] = float64(i + 1)
	}
	return graph.FromArray(a)
}

// each gives every point of a shape in the order of memory.
func each(shape []int, f func(at int, point []int)) {
	n := 1
	for _, s := range shape {
		n *= s
	}
	point := make([]int, len(shape))
	for at := range n {
		rest := at
		for d := len(shape) - 1; d >= 0; d-- {
			point[d] = rest % shape[d]
			rest /= shape[d]
		}
		f(at, point)
	}
}
