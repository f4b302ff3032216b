package kernel

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// battery runs every kernel that may be cut into parts, on sizes that are, and returns all results in a row.
func battery() []float32 {
	random := rand.New(rand.NewPCG(3, 4))
	draw := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(random.NormFloat64())
		}
		return x
	}
	const n = 1 << 18
	x, y := draw(n), draw(n)
	var all []float32
	keep := func(r []float32) { all = append(all, r...) }
	out := make([]float32, n)
	Map(Tanh, out, x, 0, 0)
	keep(out)
	MapGrad(Tanh, out, x, nil, out, 0, 0)
	keep(out)
	Zip(Add, out, x, y)
	ZipScalar(Mul, out, out, 3)
	Axpy(0.5, x, out)
	keep(out)
	keep([]float32{Sum(x), float32(SumSquares(x))})
	ColumnSums(out[:512], x, n/512, 512)
	keep(out[:512])
	Softmax(out, x, n/100, 100, 1)
	keep(out)
	LogSoftmaxGrad(out, x, out, n/100, 100, 1)
	keep(out)
	target := make([]int64, n/100)
	CrossEntropyIndices(out[:n/100], nil, x, target, CrossEntropyArgs[float32]{Rows: n / 100, Classes: 100})
	keep(out[:n/100])
	p, m, v := draw(n), draw(n), make([]float32, n)
	SGD(p, x, m, SGDArgs{LR: 0.1, Momentum: 0.9})
	Adam(p, x, m, v, nil, AdamArgs{LR: 0.1, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Step: 1})
	keep(p)
	for _, layout := range []Layout{NN, NT, TN} {
		Gemm(layout, 200, 260, 250, x, 260, y, 260, out, 260, false, Epilogue[float32]{Activation: Tanh})
		keep(out[:200*260])
	}
	Gemm(NT, 3, 500, 300, x, 300, y, 300, out, 500, false, Epilogue[float32]{})
	keep(out[:1500])
	return all
}

// At one number of threads the bits are those of any other run; only whole sums depend on the number.
func TestThreadsSameBits(t *testing.T) {
	defer SetThreads(0)
	eachSIMD(t, func(t *testing.T) {
		SetThreads(1)
		alone := battery()
		for _, n := range []int{2, 3, 5} {
			SetThreads(n)
			first := battery()
			sameBits(t, first, battery(), "%d threads", n)
			require.InEpsilonSlice(t, alone[3<<18:3<<18+2], first[3<<18:3<<18+2], 1e-5)
			copy(first[3<<18:3<<18+2], alone[3<<18:])
			sameBits(t, alone, first, "%d threads and 1", n)
		}
	})
}

// Kernels called from many goroutines at once give what they give alone.
func TestManyCallers(t *testing.T) {
	want := battery()
	var group sync.WaitGroup
	results := make([][]float32, 6)
	for i := range results {
		group.Go(func() { results[i] = battery() })
	}
	group.Wait()
	for _, got := range results {
		sameBits(t, want, got, "beside others")
	}
}

// More threads than processors, and processors kept busy by others, slow nothing to a halt.
func TestStarvedWorkers(t *testing.T) {
	defer SetThreads(0)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	SetThreads(4)
	var stop atomic.Bool
	for range 2 {
		go func() {
			for !stop.Load() {
			}
		}()
	}
	defer stop.Store(true)
	x := make([]float32, 1<<17)
	start := time.Now()
	for range 20 {
		Map(Exp, x, x, 0, 0)
	}
	require.Less(t, time.Since(start), 5*time.Second)
}

// Kernels in parts allocate nothing once their memory is there.
func TestPartsDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's pools forget at random")
	}
	defer SetThreads(0)
	SetThreads(2)
	const n = 1 << 18
	x, y, out := make([]float32, n), make([]float32, n), make([]float32, n)
	target := make([]int64, n/100)
	for name, f := range map[string]func(){
		"Map":         func() { Map(Tanh, out, x, 0, 0) },
		"MapGrad":     func() { MapGrad(Tanh, out, x, nil, y, 0, 0) },
		"Zip":         func() { Zip(Add, out, x, y) },
		"ZipScalar":   func() { ZipScalar(Add, out, x, 1) },
		"Axpy":        func() { Axpy(2, x, out) },
		"Sum":         func() { Sum(x) },
		"SumSquares":  func() { SumSquares(x) },
		"ColumnSums":  func() { ColumnSums(out[:512], x, n/512, 512) },
		"Softmax":     func() { Softmax(out, x, n/100, 100, 1) },
		"LogSoftmax":  func() { LogSoftmax(out, x, n/100, 100, 1) },
		"SoftmaxGrad": func() { SoftmaxGrad(out, x, y, n/100, 100, 1) },
		"CrossEntropyIndices": func() {
			CrossEntropyIndices(out, nil, x, target, CrossEntropyArgs[float32]{Rows: n / 100, Classes: 100})
		},
		"SGD":             func() { SGD(out, x, nil, SGDArgs{LR: 0.1}) },
		"Adam":            func() { Adam(out, x, y, y, nil, AdamArgs{LR: 0.1, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Step: 1}) },
		"Gemm NN":         func() { Gemm(NN, 200, 260, 250, x, 260, y, 260, out, 260, false, Epilogue[float32]{}) },
		"Gemm NT":         func() { Gemm(NT, 500, 100, 250, x, 260, y, 260, out, 260, false, Epilogue[float32]{}) },
		"Gemm TN":         func() { Gemm(TN, 200, 260, 250, x, 260, y, 260, out, 260, false, Epilogue[float32]{}) },
		"Gemm of one row": func() { Gemm(NT, 1, 500, 500, x, 500, y, 500, out, 500, false, Epilogue[float32]{}) },
		"outer product":   func() { Gemm(TN, 500, 500, 1, x, 500, y, 500, out, 500, false, Epilogue[float32]{}) },
	} {
		require.Zero(t, testing.AllocsPerRun(20, f), name)
	}
}

// Where other programs keep all cores busy, working together costs little more than working alone.
func TestBusyCores(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("measures times")
	}
	defer SetThreads(0)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2 * runtime.NumCPU()))
	var stop atomic.Bool
	defer stop.Store(true)
	for range runtime.NumCPU() {
		go func() {
			for !stop.Load() {
			}
		}()
	}
	const m, n, k = 256, 512, 784
	x, y, c := make([]float32, m*k), make([]float32, n*k), make([]float32, m*n)
	times := map[int]time.Duration{}
	for range 6 {
		for _, threads := range []int{1, runtime.NumCPU()} {
			SetThreads(threads)
			start := time.Now()
			for range 100 {
				Gemm(NT, m, n, k, x, k, y, k, c, n, false, Epilogue[float32]{})
			}
			times[threads] += time.Since(start)
		}
	}
	t.Logf("%v", times)
	require.Less(t, float64(times[runtime.NumCPU()]), 1.5*float64(times[1])) // 1.05 measured; other tests may run beside
}

// Idle workers park: nothing of the pool runs a while after the last kernel.
func TestWorkersPark(t *testing.T) {
	defer SetThreads(0)
	SetThreads(3)
	x := make([]float32, 1<<17)
	Map(Exp, x, x, 0, 0)
	require.Eventually(t, func() bool {
		pool.busy.Lock()
		defer pool.busy.Unlock()
		for _, w := range pool.workers {
			if !w.parked.Load() {
				return false
			}
		}
		return len(pool.workers) >= min(2, runtime.GOMAXPROCS(0)-1)
	}, 5*time.Second, 5*time.Millisecond)
}

func TestSetThreads(t *testing.T) {
	defer SetThreads(0)
	SetThreads(7)
	require.Equal(t, 7, Threads())
	SetThreads(-1)
	require.Equal(t, runtime.GOMAXPROCS(0), Threads())
	for parts := range 9 {
		at := 0
		for part := range parts {
			from, to := share(part, parts, 100, 16)
			require.Equal(t, at, from)
			at = to
		}
		require.True(t, parts == 0 || at == 100)
	}
}

// One late worker is no reason to go on alone, many are; each time that a try loses again the caller stays alone longer.
func TestAccount(t *testing.T) {
	now := time.Now()
	a := account{factor: minFactor}
	wake, win := -130*time.Microsecond, 30*time.Microsecond
	for range 100 { // a worker that is woken, and then of use
		a.enter(wake, now)
		for range 5 {
			a.enter(win, now)
		}
	}
	require.Zero(t, a.aloneUntil)
	before := time.Duration(0)
	for range 4 {
		a.aloneUntil, a.credit = time.Time{}, 0
		for a.aloneUntil.IsZero() {
			a.enter(wake, now)
		}
		alone := a.aloneUntil.Sub(now)
		require.Greater(t, alone, before)
		before = alone
	}
	for a.credit < maxCredit {
		a.enter(win, now)
	}
	require.EqualValues(t, minFactor, a.factor, "what was won makes good again")
}
