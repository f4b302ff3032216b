package main

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/sequential"
)

// load keeps the process busy with everything at once: predictions of several batch sizes from many goroutines on shared
// models, training of other models beside them, and garbage. Every result must have the bits that it has alone.
func load(args []string) error {
	f := flag.NewFlagSet("bench load", flag.ContinueOnError)
	length := f.Duration("for", 10*time.Minute, "how long")
	goroutines := f.Int("goroutines", 4*runtime.GOMAXPROCS(0), "how many goroutines predict; half as many train")
	if err := f.Parse(args); err != nil {
		return err
	}
	dims := [][]int{{3, 8, 4, 2}, {64, 32, 10}, {784, 512, 256, 10}}
	batches := []int{1, 2, 7, 16, 64, 300}
	alone := newAnswers()
	shared := make([]*sequential.Model, len(dims))
	for i, d := range dims {
		var err error
		if shared[i], err = (mlp{dims: d}).model(); err != nil {
			return err
		}
		for _, b := range batches {
			if err := alone.predict(shared[i], mlp{dims: d, batch: b}); err != nil {
				return err
			}
			if err := alone.train(mlp{dims: d, batch: b}); err != nil {
				return err
			}
		}
	}
	end := time.Now().Add(*length)
	var group sync.WaitGroup
	var predictions, trainings atomic.Int64
	failures := make(chan error, 2**goroutines)
	repeat := func(count *atomic.Int64, start int, f func(i, b int) error) {
		group.Go(func() {
			for n := start; time.Now().Before(end); n++ {
				if err := f(n%len(dims), n/len(dims)%len(batches)); err != nil {
					failures <- err
					return
				}
				count.Add(1)
			}
		})
	}
	for g := range *goroutines {
		repeat(&predictions, g, func(i, b int) error { return alone.predict(shared[i], mlp{dims: dims[i], batch: batches[b]}) })
		if g%2 == 0 {
			repeat(&trainings, g, func(i, b int) error { return alone.train(mlp{dims: dims[i], batch: batches[b]}) })
		}
	}
	group.Go(func() {
		for time.Now().Before(end) {
			runtime.GC()
			time.Sleep(5 * time.Millisecond)
		}
	})
	group.Wait()
	close(failures)
	var err error
	for e := range failures {
		err = errors.Join(err, e)
	}
	fmt.Printf("%v: %d predictions by %d goroutines, %d trainings of %d steps beside them\n", *length, predictions.Load(), *goroutines, trainings.Load(), loadSteps)
	return err
}

// loadSteps is how many steps a training has.
const loadSteps = 5

// answers are the results of each case: the first is kept, later ones must equal it.
type answers struct {
	mu    sync.Mutex
	known map[string][]float32
}

func newAnswers() *answers { return &answers{known: map[string][]float32{}} }

func (a *answers) check(what string, got []float32) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	want, ok := a.known[what]
	if !ok {
		a.known[what] = slices.Clone(got)
		return nil
	}
	if !slices.EqualFunc(want, got, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) }) {
		return fmt.Errorf("%s: other bits than alone", what)
	}
	return nil
}

// predict predicts with a shared model.
func (a *answers) predict(model *sequential.Model, c mlp) error {
	x, _ := c.data()
	out := c.room()
	if err := model.PredictInto(out, x); err != nil {
		return err
	}
	return a.check(fmt.Sprintf("predict %v B %d", c.dims, c.batch), out.Float32s())
}

// train trains a model of its own.
func (a *answers) train(c mlp) error {
	model, err := c.model()
	if err != nil {
		return err
	}
	x, y := c.data()
	optimizer := optimizers.Adam(model.Parameters(), 0.001)
	for range loadSteps {
		optimizer.ZeroGrad()
		if err := losses.CrossEntropy().Of(model.Forward(x), y).Backward(); err != nil {
			return err
		}
		if err := optimizer.Step(); err != nil {
			return err
		}
	}
	out := c.room()
	if err := model.PredictInto(out, x); err != nil {
		return err
	}
	return a.check(fmt.Sprintf("train %v B %d", c.dims, c.batch), out.Float32s())
}
