//go:build gpu

package sequential_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// onGPU moves models to the first GPU, or skips the test where there is none.
func onGPU(t *testing.T, models ...*sequential.Model) *cuda.GPU {
	t.Helper()
	_ = os.Getenv("AEGIS_CUDA_DRIVER") // which C reads: a change of it makes a kept test result stale
	if err := cuda.Available(); err != nil {
		t.Skip(err)
	}
	for _, m := range models {
		require.NoError(t, m.To(cuda.Device(0)))
	}
	g, err := cuda.Device(0).Open()
	require.NoError(t, err)
	return g
}

// trained makes steps, and gives the losses.
func trained(t *testing.T, m *sequential.Model, o optimizers.Optimizer, x, y *graph.Expr, steps int) []float64 {
	t.Helper()
	var values []float64
	for range steps {
		o.ZeroGrad()
		loss := losses.CrossEntropy().Of(m.Forward(x), y)
		require.NoError(t, loss.Backward())
		_, err := optimizers.ClipGradNorm(m.Parameters(), 0.5)
		require.NoError(t, err)
		require.NoError(t, o.Step())
		values = append(values, item(t, loss))
	}
	return values
}

// A model trains on the device as on the host; then it moves to the other one in the midst of it, with what its optimizer keeps.
func TestTrainingOnADeviceGivesTheSameNumbers(t *testing.T) {
	x, y := rows(4, 3), data.Of([]int64{0, 1, 1, 0})
	host, device := mlp(1), mlp(1)
	onGPU(t, device)
	require.Equal(t, cuda.Device(0), device.Device())
	hostAdam, deviceAdam := optimizers.Adam(host.Parameters(), 0.05), optimizers.Adam(device.Parameters(), 0.05)
	want, got := trained(t, host, hostAdam, x, y, 12), trained(t, device, deviceAdam, x, y, 12)
	require.InDeltaSlice(t, want, got, 1e-5)
	require.InDeltaSlice(t, floats(t, host.Param("0.weight").Grad()), floats(t, device.Param("0.weight").Grad()), 1e-5)

	require.NoError(t, device.To(graph.CPU))
	require.NoError(t, host.To(cuda.Device(0)))
	want, got = trained(t, host, hostAdam, x, y, 8), trained(t, device, deviceAdam, x, y, 8)
	require.InDeltaSlice(t, want, got, 1e-5)
	require.InDeltaSlice(t, floats(t, host.Param("2.bias").Value()), floats(t, device.Param("2.bias").Value()), 1e-5)
}

// What is copied: the inputs of each step, the parameters once, and what is asked for.
func TestOnlyWhatIsAskedForIsCopied(t *testing.T) {
	m, x, y := mlp(1), rows(4, 3), data.Of([][]float32{{1, 0}, {0, 1}, {1, 0}, {0, 1}})
	g := onGPU(t, m)
	o := optimizers.SGD(m.Parameters(), 0.1).Momentum(0.9)
	step := func() *graph.Expr {
		o.ZeroGrad()
		loss := losses.CrossEntropy().Of(m.Forward(x), y)
		require.NoError(t, loss.Backward())
		require.NoError(t, o.Step())
		return loss
	}
	step()
	before, err := g.Traffic()
	require.NoError(t, err)
	var loss *graph.Expr
	for range 10 {
		loss = step()
	}
	after, err := g.Traffic()
	require.NoError(t, err)
	require.Equal(t, 2*10, after.Uploads-before.Uploads, "x and y of each step")
	require.Equal(t, before.Downloads, after.Downloads)
	item(t, loss)
	item(t, loss)
	floats(t, m.Param("0.weight").Value())
	floats(t, m.Param("2.weight").Value())
	last, err := g.Traffic()
	require.NoError(t, err)
	require.Equal(t, 2, last.Downloads-after.Downloads, "the loss and the parameters, once each")

	w := m.Param("0.weight")
	require.NoError(t, w.Set(w.Value().MulScalar(2)))
	step()
	changed, err := g.Traffic()
	require.NoError(t, err)
	require.Equal(t, 3, changed.Uploads-last.Uploads, "the parameters were written on the host")
}

// An input that was moved is copied once, a value that is computed stays there until it is asked for.
func TestWhatLiesOnTheDeviceStaysThere(t *testing.T) {
	m := mlp(1)
	g := onGPU(t, m)
	x, y := rows(4, 3).To(cuda.Device(0)), data.Of([]int64{0, 1, 1, 0}).To(cuda.Device(0))
	require.NoError(t, x.Err())
	o := optimizers.SGD(m.Parameters(), 0.1)
	step := func() {
		o.ZeroGrad()
		require.NoError(t, losses.CrossEntropy().Of(m.Forward(x), y).Backward())
		require.NoError(t, o.Step())
	}
	step()
	before, err := g.Traffic()
	require.NoError(t, err)
	for range 5 {
		step()
	}
	prediction := m.Predict(x)
	require.NoError(t, prediction.Compute())
	after, err := g.Traffic()
	require.NoError(t, err)
	require.Equal(t, before.Uploads, after.Uploads)
	require.Equal(t, before.Downloads, after.Downloads)
	require.InDeltaSlice(t, floats(t, m.Predict(rows(4, 3))), floats(t, prediction), 1e-6)
	require.InDeltaSlice(t, floats(t, rows(4, 3)), floats(t, x), 0)
}

func TestDeviceMemoryStaysFlat(t *testing.T) {
	m, x, y := mlp(1), rows(4, 3), data.Of([][]float32{{1, 0}, {0, 1}, {1, 0}, {0, 1}})
	g := onGPU(t, m)
	o := optimizers.Adam(m.Parameters(), 0.01)
	held := func() int {
		for range 3 {
			runtime.GC()
			runtime.Gosched()
		}
		traffic, err := g.Traffic()
		require.NoError(t, err)
		return traffic.Bytes
	}
	var start int
	for i := range 300 {
		o.ZeroGrad()
		require.NoError(t, losses.CrossEntropy().Of(m.Forward(x), y).Backward())
		require.NoError(t, o.Step())
		if i == 100 {
			start = held()
		}
	}
	require.LessOrEqual(t, held(), start+1<<16)
}

// The values of an expression stay what they were, and gradients add up.
func TestDeviceValuesStay(t *testing.T) {
	m, y := mlp(1), data.Of([]int64{0, 1, 1, 0})
	onGPU(t, m)
	x := rows(4, 3).RequiresGrad()
	first := m.Forward(x)
	loss := losses.CrossEntropy().Of(first, y)
	require.NoError(t, loss.Backward())
	once, inner := floats(t, m.Param("0.weight").Grad()), floats(t, x.Grad())
	require.NoError(t, losses.CrossEntropy().Of(m.Forward(x), y).Backward())
	twice := floats(t, m.Param("0.weight").Grad())
	for i := range once {
		require.InDelta(t, 2*once[i], twice[i], 1e-6)
	}
	require.InDelta(t, 2*inner[0], floats(t, x.Grad())[0], 1e-6)
	p := m.Param("0.weight")
	require.NoError(t, p.Set(p.Expr().Sub(p.Grad().MulScalar(10))))
	again := losses.CrossEntropy().Of(m.Forward(x), y)
	require.NoError(t, again.Backward())
	require.Contains(t, fmt.Sprint(first), "grad_fn=<AddmmBackward0>")
	require.NotEqual(t, loss.String(), again.String())
	host := mlp(1)
	require.InDeltaSlice(t, floats(t, host.Forward(rows(4, 3))), floats(t, first), 1e-6)
}

// A value of the device goes on there: it is no input that is copied.
func TestDeviceValuesAreInputs(t *testing.T) {
	encoder := sequential.NewFrom(random.New(1), tensor.Float32, layers.Linear(3, 2), layers.Tanh())
	decoder := sequential.NewFrom(random.New(2), tensor.Float32, layers.Linear(2, 3))
	x := rows(4, 3)
	want := floats(t, decoder.Predict(encoder.Predict(x)))
	g := onGPU(t, encoder, decoder)
	code := encoder.Predict(x)
	shape, err := code.Shape()
	require.NoError(t, err)
	require.Equal(t, []int{4, 2}, shape)
	code = encoder.Predict(x)
	sum := code.Sum().Add(code.Mean())
	_ = sum
	require.NoError(t, losses.MSE().Of(decoder.Forward(code), x).Backward())
	require.InDeltaSlice(t, want, floats(t, decoder.Predict(code)), 1e-6)
	dst := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(4, 3))
	require.NoError(t, decoder.PredictInto(dst, code))
	require.InDeltaSlice(t, want, floats(t, data.Dense(dst)), 1e-6)
	require.NotNil(t, g)
}

func TestDeviceErrors(t *testing.T) {
	m, x := mlp(1), rows(4, 3)
	onGPU(t, m)
	foreign := sequential.New(layers.Linear(3, 2), layers.Func("Double", func(x *gorgonia.Node) (*gorgonia.Node, error) {
		return gorgonia.Mul(x, gorgonia.NewConstant(float32(2)))
	}))
	onGPU(t, foreign)
	_, err := foreign.Forward(x).Value()
	var kernel *ops.KernelError
	require.ErrorAs(t, err, &kernel)
	require.ErrorContains(t, err, "no kernel on cuda:0 for gorgonia[")

	var devices *graph.DeviceError
	_, err = m.Forward(x).Add(mlp(2).Forward(x)).Value()
	require.ErrorAs(t, err, &devices)

	require.ErrorContains(t, m.To(cuda.Device(99)), "cuda:99")
	require.Equal(t, cuda.Device(0), m.Device(), "it stays where it is")
}

// What is wrong with the data is told when the device is waited for, or one step late: no step waits for it.
func TestMistakesInDataAreToldLate(t *testing.T) {
	m, x := mlp(1), rows(4, 3)
	g := onGPU(t, m)
	right, wrong := data.Of([]int64{0, 1, 1, 0}), data.Of([]int64{0, 1, 7, 0})
	var index *ops.IndexError
	loss := losses.CrossEntropy().Of(m.Forward(x), wrong)
	require.NoError(t, loss.Backward())
	for range 2 {
		_, err := loss.Item()
		require.ErrorAs(t, err, &index)
		require.Equal(t, ops.IndexError{What: "target", Index: 7, At: 2, Size: 2}, *index)
	}
	item(t, losses.CrossEntropy().Of(m.Forward(x), right))

	o := optimizers.SGD(m.Parameters(), 0.1)
	loss = losses.CrossEntropy().Of(m.Forward(x), wrong)
	require.NoError(t, loss.Backward())
	require.NoError(t, o.Step())
	require.ErrorAs(t, g.Do(g.Synchronize), &index)
	require.NoError(t, losses.CrossEntropy().Of(m.Forward(x), right).Backward(), "the device goes on")
}

// A whole step, forward, loss, backward, clipping and update, is one call of the driver once it has been made before, though its
// numbers change; accumulated gradients take one a part.
func TestATrainingStepIsOneGraph(t *testing.T) {
	for name, make := range map[string]func(p []*graph.Param) optimizers.Optimizer{
		"SGD":       func(p []*graph.Param) optimizers.Optimizer { return optimizers.SGD(p, 0.1).Momentum(0.9) },
		"Adam":      func(p []*graph.Param) optimizers.Optimizer { return optimizers.Adam(p, 0.1) },
		"Adafactor": func(p []*graph.Param) optimizers.Optimizer { return optimizers.Adafactor(p, 0.1) },
	} {
		t.Run(name, func(t *testing.T) {
			m := sequential.NewFrom(random.New(1), tensor.Float32, layers.Linear(3, 8), layers.BatchNorm1d(8), layers.Dropout(0.2), layers.Linear(8, 2))
			g := onGPU(t, m)
			o := make(m.Parameters())
			part := func() {
				// Other data at each step, as a loader gives it.
				require.NoError(t, losses.CrossEntropy().Of(m.Forward(rows(4, 3)), data.Of([]int64{0, 1, 1, 0}).To(cuda.Device(0))).Backward())
			}
			launches := func(parts int) int {
				before, err := g.Traffic()
				require.NoError(t, err)
				o.ZeroGrad()
				for range parts {
					part()
				}
				_, err = optimizers.ClipGradNorm(m.Parameters(), 0.5)
				require.NoError(t, err)
				require.NoError(t, o.Step())
				*o.LearningRates()[0] /= 2
				after, err := g.Traffic()
				require.NoError(t, err)
				return after.Launches - before.Launches
			}
			require.Greater(t, launches(1), 10)
			for range 4 {
				launches(1)
			}
			require.Equal(t, 1, launches(1))
			for range 4 {
				launches(3)
			}
			require.Equal(t, 3, launches(3))
			require.Equal(t, 1, launches(1))
		})
	}
}

// What a kernel writes last is computed where it stays, each time anew; what a library's product writes is copied there.
func TestPredictionsAreComputedWhereTheyStay(t *testing.T) {
	for _, c := range []struct {
		last     layers.Layer
		launches int
	}{{layers.Linear(30, 5), 2}, {layers.Linear(30, 20), 3}} {
		model := func() *sequential.Model {
			return sequential.NewFrom(random.New(1), tensor.Float32, layers.Linear(20, 30), layers.ReLU(), c.last)
		}
		m, x := model(), rows(4, 20)
		tried := model() // of its products the card says once what it does at once
		onGPU(t, tried)
		require.NoError(t, tried.Predict(x).Compute())
		want := floats(t, m.Predict(x))
		g := onGPU(t, m)
		before, err := g.Traffic()
		require.NoError(t, err)
		first := m.Predict(x)
		require.NoError(t, first.Compute())
		after, err := g.Traffic()
		require.NoError(t, err)
		if os.Getenv("AEGIS_CUBLAS") != "off" && os.Getenv("AEGIS_CUBLASLT") != "off" {
			require.Equal(t, c.launches, after.Launches-before.Launches)
		}
		for range 4 {
			require.InDeltaSlice(t, want, floats(t, m.Predict(x)), 1e-5)
		}
		require.NotEqual(t, want, floats(t, m.Predict(rows(4, 20).Exp())))
		require.InDeltaSlice(t, want, floats(t, first), 1e-5)
	}
}

// PyTorch's words for precision reach the device: to tensor cores 1 + 2^-12 is 1.
func TestPrecisionOnADevice(t *testing.T) {
	const wide = 17 // fewer columns are made by a kernel of our own, in full float32 always
	m := sequential.New(layers.Linear(1, wide).Bias(false))
	require.NoError(t, m.Param("0.weight").Set(data.Of(slices.Repeat([][]float32{{1 + 1.0/4096}}, wide))))
	if g := onGPU(t, m); !strings.Contains(g.String(), "emulated") {
		t.Skip("not every GPU has it")
	}
	defer graph.SetFloat32MatmulPrecision(graph.Highest)
	x := data.Of([][]float32{{1 + 1.0/4096}})
	require.Greater(t, item(t, m.Predict(x).Sum()), float64(wide))
	graph.SetFloat32MatmulPrecision(graph.High)
	got := item(t, m.Predict(x).Sum())
	if os.Getenv("AEGIS_CUBLAS") != "off" {
		require.Equal(t, float64(wide), got)
	}
}

func TestDropoutOnADeviceDropsTheSameElements(t *testing.T) {
	host := sequential.NewFrom(random.New(1), tensor.Float32, layers.Dropout(0.4))
	device := sequential.NewFrom(random.New(1), tensor.Float32, layers.Dropout(0.4))
	onGPU(t, device)
	x := rows(5, 7)
	random.Seed(3)
	want := floats(t, host.Forward(x))
	random.Seed(3)
	moved := x.To(cuda.Device(0))
	require.InDeltaSlice(t, want, floats(t, device.Forward(moved)), 1e-6)
}

func TestPredictOnADeviceIsSafeFromManyGoroutines(t *testing.T) {
	m, x := mlp(1), rows(5, 3)
	onGPU(t, m)
	want := floats(t, m.Predict(x))
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range 10 {
				got, err := m.Predict(x).Floats()
				if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("got %v, %v", got, err)
				}
				if _, err := m.Predict(rows(1+(i+g)%3, 3)).Floats(); err != nil {
					t.Error(err)
				}
				if _, err := m.Param("0.weight").Value().Floats(); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wg.Wait()
}

func TestAModelOnADeviceIsSaved(t *testing.T) {
	m, x := mlp(1), rows(4, 3)
	onGPU(t, m)
	o := optimizers.SGD(m.Parameters(), 0.1)
	require.NoError(t, m.Forward(x).Sum().Backward())
	require.NoError(t, o.Step())
	path := filepath.Join(t.TempDir(), "model.safetensors")
	require.NoError(t, m.Save(path))
	loaded, err := sequential.Load(path)
	require.NoError(t, err)
	require.InDeltaSlice(t, floats(t, m.Predict(x)), floats(t, loaded.Predict(x)), 1e-6)
	require.NoError(t, m.LoadStateDict(loaded.StateDict()))
}
