//go:build gpu

package cuda

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"gorgonia.org/cu"
)

// device opens the first device, or skips the test where there is none.
func device(t *testing.T) *GPU {
	t.Helper()
	_ = os.Getenv("AEGIS_CUDA_DRIVER") // which C reads: a change of it makes a kept test result stale
	if err := Available(); err != nil {
		t.Skip(err)
	}
	g, err := Device(0).Open()
	require.NoError(t, err)
	return g
}

// emulated says whether the device is the emulated one, which checks what a GPU doesn't.
func emulated(g *GPU) bool { return strings.Contains(g.String(), "emulated") }

// up allocates device memory and fills it.
func up[E any](t *testing.T, g *GPU, x []E) *Place {
	t.Helper()
	bytes := len(x) * int(unsafe.Sizeof(*new(E)))
	m, err := g.Allocate(bytes)
	require.NoError(t, err)
	require.NoError(t, g.Upload(m.At(0), unsafe.Pointer(unsafe.SliceData(x)), bytes))
	return m.At(0)
}

func down[E any](t *testing.T, g *GPU, from *Place, n int) []E {
	t.Helper()
	x := make([]E, n)
	require.NoError(t, g.Download(unsafe.Pointer(unsafe.SliceData(x)), from, n*int(unsafe.Sizeof(*new(E)))))
	return x
}

// within runs a test's body with the context.
func within(t *testing.T, g *GPU, f func()) {
	t.Helper()
	require.NoError(t, g.Do(func() error { f(); return nil }))
}

var testSource = NewSource("test", `
extern "C" __global__ void scale(T *y, const T *x, double by, i64 n) { EACH(i, n) y[i] = x[i] * T(by); }
extern "C" __global__ void sums(T *y, const T *x, i64 rows, i64 n) {
	ROWS(r, rows) {
		T s = 0;
		ALONG(i, n) s += x[r * n + i];
		s = block_sum(s);
		if (threadIdx.x == 0) y[r] = s;
	}
}
extern "C" __global__ void beyond(T *y, i64 n) { EACH(i, n + 1) y[i] = 1; }
extern "C" __global__ void unwritten(T *y, const T *x) { y[0] = x[0]; }
extern "C" __global__ void race(T *y) { y[0] = T(threadIdx.x); }
extern "C" __global__ void shared_race(T *y) {
	__shared__ T s[64];
	s[threadIdx.x] = T(threadIdx.x);
	y[threadIdx.x] = s[63 - threadIdx.x];
}
extern "C" __global__ void half_barrier() { if (threadIdx.x < 32) __syncthreads(); }
extern "C" __global__ void half_shuffle(T *y) { if (threadIdx.x < 7) y[threadIdx.x] = __shfl_xor_sync(127, T(1), 1); }
`)

func TestPlanRunsAndIsCaptured(t *testing.T) {
	g := device(t)
	within(t, g, func() {
		const rows, n = 5, 1000
		x, want := make([]float32, rows*n), make([]float32, rows)
		for i := range x {
			x[i] = float32(i % 7)
			want[i/n] += 2 * x[i]
		}
		all, from, scaled, sums := up(t, g, x), &Place{}, up(t, g, x), up(t, g, want)
		p := g.NewPlan()
		require.NoError(t, p.Launch(testSource.Kernel("scale", Float32), Elements(len(x)), scaled, from, 2.0, len(x)))
		require.NoError(t, p.Launch(testSource.Kernel("sums", Float32), Rows(rows, n), sums, scaled, rows, n))
		from.Aim(all)
		for range 5 {
			require.NoError(t, p.Run())
			require.Equal(t, want, down[float32](t, g, sums, rows))
		}
		require.Equal(t, 1, launches(t, g, p.Run))
		other := up(t, g, make([]float32, len(x)))
		from.Aim(other)
		require.Equal(t, 1, launches(t, g, p.Run), "the graph that there is")
		require.Equal(t, make([]float32, rows), down[float32](t, g, sums, rows), "follows the places")
	})
}

// launches is how many calls of the driver something takes.
func launches(t *testing.T, g *GPU, f func() error) int {
	t.Helper()
	require.NoError(t, g.Flush())
	before := g.traffic.Launches
	require.NoError(t, f())
	require.NoError(t, g.Flush())
	return g.traffic.Launches - before
}

// Plans that come in the same order are one graph, whatever their numbers are.
func TestASequenceOfPlansIsOneLaunch(t *testing.T) {
	g := device(t)
	within(t, g, func() {
		x, y := up(t, g, []float32{1, 2, 3}), up(t, g, []float32{0, 0, 0})
		first, second := g.NewPlan(), g.NewPlan()
		step := func(by float64) error {
			for _, p := range []*Plan{first, second} {
				require.NoError(t, p.Again())
			}
			require.NoError(t, first.Launch(testSource.Kernel("scale", Float32), Elements(3), y, x, by, 3))
			first.Copy(x, y, 4)
			require.NoError(t, second.Launch(testSource.Kernel("scale", Float32), Elements(3), y, y, 10.0, 3))
			require.NoError(t, first.Run())
			return second.Run()
		}
		require.Equal(t, 3, launches(t, g, func() error { return step(1) }))
		require.Equal(t, 1, launches(t, g, func() error { return step(1) }))
		require.Equal(t, []float32{10, 20, 30}, down[float32](t, g, y, 3))
		require.Equal(t, 1, launches(t, g, func() error { return step(2) }))
		require.Equal(t, []float32{20, 40, 60}, down[float32](t, g, y, 3))

		require.NoError(t, first.Again())
		require.NoError(t, first.Run(), "nothing")
		require.Equal(t, 2, launches(t, g, func() error { require.NoError(t, second.Run()); return second.Run() }), "by itself, and again")
	})
}

func TestUploadsAreStaged(t *testing.T) {
	g := device(t)
	within(t, g, func() {
		x := make([]int64, 5*stagingBytes/8+3)
		for i := range x {
			x[i] = int64(i)
		}
		for range 2 {
			at := up(t, g, x)
			x[0], x[len(x)-1] = -1, -1
			y := down[int64](t, g, at, len(x))
			x[0], x[len(x)-1] = 0, int64(len(x)-1)
			require.True(t, slices.Equal(x, y))
		}
	})
}

func TestDeliver(t *testing.T) {
	g := device(t)
	within(t, g, func() {
		var list []Delivery
		var want [][]byte
		for i, n := range []int{16, 32, 4, 7, 64, 1} {
			x := make([]byte, n)
			for j := range x {
				x[j] = byte(i*100 + j)
			}
			list, want = append(list, Delivery{To: up(t, g, make([]byte, n)), From: up(t, g, x), Bytes: n}), append(want, x)
		}
		p := g.NewPlan()
		require.NoError(t, p.Deliver(list))
		require.NoError(t, p.Run())
		for i, d := range list {
			require.Equal(t, want[i], down[byte](t, g, d.To, d.Bytes))
		}
	})
}

// ways are how products are made: by cuBLAS with cuBLASLt, without, and by our own kernel.
func ways(t *testing.T, g *GPU, f func(t *testing.T)) {
	with := g.blas
	defer func() { g.blas = with }()
	for _, way := range []string{"cublas", "cublas without lt", "own"} {
		t.Run(way, func(t *testing.T) {
			switch {
			case way == "own":
				g.blas = nil
			case with == nil:
				t.Skip(g.blasErr)
			case way != "cublas":
				g.blas = &blas{table: newBLASTable(), workspace: with.workspace}
				*g.blas.table = *with.table
				g.blas.table.lt = nil
			case with.ltErr != nil:
				t.Skip(with.ltErr)
			}
			within(t, g, func() {
				f(t)
				require.NoError(t, g.Synchronize(), "before cuBLAS is another")
			})
		})
	}
}

func TestProduct(t *testing.T) {
	g := device(t)
	ways(t, g, func(t *testing.T) {
		for _, layout := range []Layout{NN, NT, TN} {
			for _, s := range [][3]int{{1, 1, 1}, {3, 17, 5}, {33, 16, 40}, {20, 2, 0}, {130, 70, 19}, {0, 3, 4}} {
				for _, then := range []Then{{}, {Bias: &Place{}}, {ReLU: true}, {Bias: &Place{}, ReLU: true}} {
					multiply[float64](t, g, layout, Float64, then, s[0], s[1], s[2])
					multiply[float32](t, g, layout, Float32, then, s[0], s[1], s[2])
				}
			}
		}
		multiply[float32](t, g, NT, Float32, Then{}, 700, 1000, 2) // of large tiles
		multiply[float64](t, g, TN, Float64, Then{ReLU: true}, 700, 1000, 2)
		for _, s := range [][3]int{{9, 10, 8}, {5, 12, 132}, {3, 4, 300}, {4, 1, 1028}, {7, 13, 36}, {4103, 10, 36}, {4098, 16, 33}, {4097, 3, 20}} { // narrow
			multiply[float64](t, g, NT, Float64, Then{Bias: &Place{}, ReLU: true}, s[0], s[1], s[2])
			multiply[float32](t, g, NT, Float32, Then{Bias: &Place{}}, s[0], s[1], s[2])
		}
	})
}

func multiply[F float32 | float64](t *testing.T, g *GPU, layout Layout, real Type, then Then, m, n, k int) {
	t.Helper()
	a, b, bias, want := make([]F, m*k), make([]F, k*n), make([]F, n), make([]float64, m*n)
	for _, x := range [][]F{a, b, bias} {
		for i := range x {
			x[i] = F(rand.Float64() - 0.5)
		}
	}
	at := func(x []F, transposed bool, i, j, rows, columns int) float64 {
		if transposed {
			return float64(x[j*rows+i])
		}
		return float64(x[i*columns+j])
	}
	if then.Bias != nil {
		then.Bias = up(t, g, bias)
	}
	to, p := up(t, g, make([]F, m*n)), g.NewPlan()
	rest, err := p.ProductThen(layout, real, m, n, k, up(t, g, a), up(t, g, b), to, then)
	require.NoError(t, err)
	if g.fuses() && real == Float32 && m*k > 0 {
		require.Zero(t, rest)
	}
	for i := range m {
		for j := range n {
			for l := range k {
				want[i*n+j] += at(a, layout == TN, i, l, m, k) * at(b, layout == NT, l, j, k, n)
			}
			if then.Bias != nil && rest.Bias == nil {
				want[i*n+j] += float64(bias[j])
			}
			if then.ReLU && !rest.ReLU {
				want[i*n+j] = max(want[i*n+j], 0)
			}
		}
	}
	require.NoError(t, p.Run())
	for i, v := range down[F](t, g, to, m*n) {
		if math.Abs(want[i]-float64(v)) > 1e-5 {
			require.InDelta(t, want[i], float64(v), 1e-5, "layout %d, %d x %d x %d", layout, m, n, k)
		}
	}
	require.NoError(t, p.Again())
	require.NoError(t, p.AddProduct(layout, real, m, n, k, up(t, g, a), up(t, g, b), to))
	require.NoError(t, p.Run())
	if then == (Then{}) && m*n > 0 {
		require.InDelta(t, 2*want[m*n-1], float64(down[F](t, g, to, m*n)[m*n-1]), 1e-5)
	}
}

// TF32 is for those who ask for it: 1 + 2^-12 is 1 then. It may be asked for at any time.
func TestTF32(t *testing.T) {
	g := device(t)
	defer SetTF32(false)
	if !emulated(g) && g.arch < "sm_80" || g.blas == nil {
		t.Skip("no tensor cores that have it")
	}
	within(t, g, func() {
		x := float32(1 + 1.0/(1<<12))
		const n = narrowColumns + 1
		a, b, c, bias := up(t, g, []float32{x, x, x, x}), up(t, g, slices.Repeat([]float32{x}, 2*n)), up(t, g, make([]float32, 2*n)), up(t, g, make([]float32, n))
		plain, fused, brain := g.NewPlan(), g.NewPlan(), g.NewPlan()
		require.NoError(t, brain.BrainProduct(NT, Float32, 2, n, 2, a, b, c))
		require.NoError(t, plain.Product(NT, Float32, 2, n, 2, a, b, c))
		_, err := fused.ProductThen(NT, Float32, 2, n, 2, a, b, c, Then{Bias: bias, ReLU: true})
		require.NoError(t, err)
		for i := range 8 {
			SetTF32(i%2 == 1)
			want := 2 * x * x
			if TF32() {
				want = 2
			}
			for _, p := range []*Plan{plain, fused} {
				require.NoError(t, p.Run())
				require.Equal(t, want, down[float32](t, g, c, 4)[3])
			}
			require.NoError(t, brain.Run())
			require.Equal(t, float32(2), down[float32](t, g, c, 4)[3], "of what isn't bfloat16, for once")
		}
	})
}

// What a kernel does wrong is an error of the run, and the device goes on.
func TestTheEmulatedDeviceChecksKernels(t *testing.T) {
	g := device(t)
	if !emulated(g) {
		t.Skip("a GPU does not check")
	}
	for _, c := range []struct {
		kernel  string
		threads int
		args    func(fresh, written *Place) []any
		want    string
	}{
		{"beyond", 64, func(_, y *Place) []any { return []any{y, 64} }, "which is no device memory"},
		{"unwritten", 1, func(x, y *Place) []any { return []any{y, x} }, "which nothing has written"},
		{"race", 64, func(_, y *Place) []any { return []any{y} }, "another thread writes: a race"},
		{"shared_race", 64, func(_, y *Place) []any { return []any{y} }, "nothing has written"},
		{"half_barrier", 64, func(_, _ *Place) []any { return nil }, "others have ended"},
		{"half_shuffle", 32, func(_, y *Place) []any { return []any{y} }, "others not"},
	} {
		t.Run(c.kernel, func(t *testing.T) {
			defer revive(t, g)
			within(t, g, func() {
				fresh, err := g.Allocate(64 * 4)
				require.NoError(t, err)
				written := up(t, g, make([]float32, 64))
				p := g.NewPlan()
				require.NoError(t, p.Launch(testSource.Kernel(c.kernel, Float32), Shape{1, c.threads}, c.args(fresh.At(0), written)...))
				require.NoError(t, p.Run())
				err = g.Synchronize()
				require.ErrorContains(t, err, c.want)
				require.ErrorContains(t, err, "launched since it was last waited for: test."+c.kernel)
			})
			var lost *LostError
			require.ErrorAs(t, g.Do(func() error { return nil }), &lost, "from now on")
		})
	}
}

// revive has the emulated device forgive what it doesn't, as GPUs don't.
func revive(t *testing.T, g *GPU) {
	t.Helper()
	device, err := cu.GetDevice(int(g.number))
	require.NoError(t, err)
	require.NoError(t, device.ResetPrimaryCtx())
	g.lost = nil
	g.queue.since = nil
}

func TestWrongKernels(t *testing.T) {
	g := device(t)
	within(t, g, func() {
		p := g.NewPlan()
		require.ErrorContains(t, p.Launch(testSource.Kernel("absent", Float32), Elements(1)), "cuModuleGetFunction: CUDA_ERROR_NOT_FOUND")
		bad := &Source{Name: "bad", Text: `extern "C" __global__ void f() { nonsense; }`}
		var compile *CompileError
		require.ErrorAs(t, p.Launch(bad.Kernel("f", Float32), Elements(1)), &compile)
		if emulated(g) {
			require.ErrorContains(t, p.Launch(testSource.Kernel("scale", Float32), Elements(1), 1, 2), "argument 2 has 0 bytes, want 8")
		}
	})
}

func TestOutOfMemoryIsAnError(t *testing.T) {
	g := device(t)
	within(t, g, func() {
		_, err := g.Allocate(1 << 50)
		var memory *OutOfMemoryError
		require.ErrorAs(t, err, &memory)
		_, err = g.Allocate(100)
		require.NoError(t, err, "the device goes on")
	})
}

func TestArenaCutsAndJoins(t *testing.T) {
	var a arena
	c, next := chunk{0x1000, 0x1000}, chunk{0x2000, 0x1000}
	a.keep(extent{c.address, c.bytes, c})
	one, ok := a.find(0x400)
	require.True(t, ok)
	two, ok := a.find(0x400)
	require.True(t, ok)
	_, ok = a.find(0x1000)
	require.False(t, ok)
	a.keep(one)
	again, ok := a.find(0x400)
	require.True(t, ok)
	require.Equal(t, one, again, "of a size that was there")
	a.keep(one)
	a.keep(two)
	a.keep(extent{next.address, next.bytes, next})
	whole, ok := a.find(0x1000)
	require.True(t, ok)
	require.Equal(t, extent{next.address, next.bytes, next}, whole)
	whole, ok = a.find(0x1000)
	require.True(t, ok)
	require.Equal(t, extent{c.address, c.bytes, c}, whole, "joined")
	a.keep(whole)
	a.join()
	require.Equal(t, []extent{{0x1000, 0x1000, c}}, a.free, "each chunk for itself")
}

// BenchmarkArena gives back 30,000 values and makes as many: what a step would wait for after the collector has run.
func BenchmarkArena(b *testing.B) {
	const count, bytes = 30_000, 1 << 16
	c := chunk{0, count * bytes}
	var a arena
	a.keep(extent{0, c.bytes, c})
	var held []extent
	for b.Loop() {
		for range count {
			e, ok := a.find(bytes)
			if !ok {
				b.Fatal("there is memory")
			}
			held = append(held, e)
		}
		rand.Shuffle(count, func(i, j int) { held[i], held[j] = held[j], held[i] })
		for _, e := range held {
			a.keep(e)
		}
		held = held[:0]
	}
}

func TestWithoutADriver(t *testing.T) {
	if Available() == nil {
		t.Skip("there is a driver")
	}
	_, err := Device(0).Open()
	var unavailable *UnavailableError
	require.ErrorAs(t, err, &unavailable)
	require.ErrorContains(t, err, "no NVIDIA driver was found")
	require.NotContains(t, strings.TrimSpace(err.Error()), "\n", "one line")
}

// takeSmallForLarge has small products made as large ones are, until the test ends.
func takeSmallForLarge(t *testing.T, g *GPU) {
	t.Helper()
	split, turn, half, columns, cards, repairing := leastSplit, leastTurn, leastHalf, leastHalfColumns, tensorCards, mostRepairing
	leastSplit, leastTurn, leastHalf, leastHalfColumns, tensorCards, mostRepairing = size{}, size{}, size{}, 0, map[string]bool{g.arch: true}, 2
	t.Cleanup(func() {
		leastSplit, leastTurn, leastHalf, leastHalfColumns, tensorCards, mostRepairing = split, turn, half, columns, cards, repairing
		SetTF32(false)
	})
}

// Large products in float32 are made of parts on tensor cores, in TF32 of what is transposed, whatever the layout.
func TestLargeProducts(t *testing.T) {
	g := device(t)
	takeSmallForLarge(t, g)
	within(t, g, func() {
		for _, tf32 := range []bool{false, true} {
			SetTF32(tf32)
			for _, s := range [][3]int{{8, 24, 16}, {40, 24, 8}, {16, 32, 600}, {136, 136, 8}} {
				for _, layout := range []Layout{NN, NT, TN} {
					for _, then := range []Then{{}, {ReLU: true}, {Bias: &Place{}}, {Bias: &Place{}, ReLU: true}} {
						for _, infinite := range []bool{false, true} {
							largeProduct(t, g, layout, s[0], s[1], s[2], then, infinite)
						}
					}
				}
			}
		}
	})
}

// A large product's plan may be run in either precision in turn, as a graph, too.
func TestLargeProductsInEitherPrecision(t *testing.T) {
	g := device(t)
	takeSmallForLarge(t, g)
	within(t, g, func() {
		const m, n, k = 24, 40, 48
		x := float32(1 + 1.0/(1<<12))
		a, b, c := up(t, g, slices.Repeat([]float32{x}, m*k)), up(t, g, slices.Repeat([]float32{x}, k*n)), up(t, g, make([]float32, m*n))
		for _, layout := range []Layout{NN, NT, TN} {
			p := g.NewPlan()
			require.NoError(t, p.Product(layout, Float32, m, n, k, a, b, c))
			for i := range 12 {
				SetTF32(i%4 >= 2)
				want := k * float64(x) * float64(x)
				if TF32() && g.blas != nil {
					want = k
				}
				require.NoError(t, p.Run())
				for _, v := range down[float32](t, g, c, m*n) {
					require.InDelta(t, want, float64(v), 1e-5)
				}
			}
		}
	})
}

func largeProduct(t *testing.T, g *GPU, layout Layout, m, n, k int, then Then, infinite bool) {
	t.Helper()
	a, b, bias := make([]float32, m*k), make([]float32, k*n), make([]float32, n)
	for _, x := range [][]float32{a, b, bias} {
		for i := range x {
			x[i] = float32(math.Exp(4*rand.NormFloat64()) * float64(1-2*rand.IntN(2)))
			if TF32() { // as it takes them
				x[i] = math.Float32frombits(math.Float32bits(x[i]) &^ 0x1fff)
			}
		}
	}
	within := 1e-6
	if infinite || g.blas == nil { // by our own kernel, which adds one after the other
		within = 1e-5
	}
	if infinite {
		a[0], b[len(b)-1] = float32(math.Inf(1)), float32(math.NaN())
		bias[0] = math.MaxFloat32 / 2
	}
	if then.Bias != nil {
		then.Bias = up(t, g, bias)
	}
	to, p := up(t, g, make([]float32, m*n)), g.NewPlan()
	rest, err := p.ProductThen(layout, Float32, m, n, k, up(t, g, a), up(t, g, b), to, then)
	require.NoError(t, err)
	require.NoError(t, p.Run())
	got := down[float32](t, g, to, m*n)
	at := func(x []float32, transposed bool, i, j, rows, columns int) float64 {
		if transposed {
			return float64(x[j*rows+i])
		}
		return float64(x[i*columns+j])
	}
	for i := range m {
		for j := range n {
			var sum, scale float64
			for l := range k {
				v := at(a, layout == TN, i, l, m, k) * at(b, layout == NT, l, j, k, n)
				sum, scale = sum+v, scale+math.Abs(v)
			}
			if then.Bias != nil && rest.Bias == nil {
				sum, scale = sum+float64(bias[j]), scale+math.Abs(float64(bias[j]))
			}
			if then.ReLU && !rest.ReLU && sum < 0 {
				sum = 0
			}
			y := float64(got[i*n+j])
			if !(math.Abs(y-sum) <= within*scale || y == sum || y != y && sum != sum) {
				require.Equal(t, sum, y, "layout %d, %d x %d x %d, %v: [%d, %d], terms of %v", layout, m, n, k, then, i, j, scale)
			}
		}
	}
}

// What cuBLAS and plans set and copy becomes kernels in a graph.
func TestAGraphIsOfKernelsAlone(t *testing.T) {
	g := device(t)
	within(t, g, func() {
		const n = 96
		a, b, c := up(t, g, make([]float32, n)), up(t, g, make([]float32, n)), up(t, g, make([]float32, n+3))
		p := g.NewPlan()
		require.NoError(t, p.Launch(memorySource.Kernel("fill", Float32), Elements(n), a, 3.0, n))
		p.Copy(b, a, 4*n)
		p.Zero(a, 4*(n/2))
		p.Copy(c.Plus(4), b, 4*n)
		p.Zero(c.Plus(4*(n+1)), 8)
		p.Zero(c.Plus(1), 3) // no whole words
		require.NoError(t, p.Launch(memorySource.Kernel("fill", Float32), Elements(4), c.Plus(4), 5.0, 4))
		for range 4 {
			for _, x := range []*Place{a, b} {
				require.NoError(t, g.Upload(x, unsafe.Pointer(unsafe.SliceData(slices.Repeat([]float32{1}, n))), 4*n))
			}
			require.NoError(t, g.Upload(c, unsafe.Pointer(unsafe.SliceData(slices.Repeat([]float32{1}, n+3))), 4*(n+3)))
			require.NoError(t, p.Run())
			require.Equal(t, append(make([]float32, n/2), slices.Repeat([]float32{3}, n/2)...), down[float32](t, g, a, n))
			require.Equal(t, slices.Repeat([]float32{3}, n), down[float32](t, g, b, n))
			got := down[float32](t, g, c, n+3)
			require.Less(t, got[0], float32(1), "its last three bytes are 0")
			require.Equal(t, slices.Concat(slices.Repeat([]float32{5}, 4), slices.Repeat([]float32{3}, n-4), []float32{0, 0}), got[1:])
		}
		r := g.queue.replays[sequence{p.layout}]
		require.NotNil(t, r.captured)
		require.EqualValues(t, 1, r.captured.others, "the clearing of three bytes")
	})
}
