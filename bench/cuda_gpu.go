//go:build gpu

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/seed-70b75153/aegis/cuda"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/sequential"
)

// cudaCase is a measurement on a GPU. Inputs lie there, and values stay there.
type cudaCase struct {
	Dims    []int   `json:"dims"`
	Batch   int     `json:"batch"`
	Mode    string  `json:"mode"` // train or infer
	TF32    bool    `json:"tf32"`
	Seconds float64 `json:"seconds"`
}

// cudaResult is what was measured, in microseconds.
type cudaResult struct {
	Step float64 `json:"step_us"` // of a step, where the device is what is waited for
	Host float64 `json:"host_us"` // of the host's part of it
	BLAS float64 `json:"blas_us"` // of its matrix products alone
}

// cudaCases are those of the table.
func cudaCases(seconds float64) []cudaCase {
	digits, wide := []int{784, 512, 256, 10}, []int{4096, 4096, 4096, 4096}
	var cases []cudaCase
	for _, size := range []struct {
		dims  []int
		batch int
	}{{digits, 64}, {digits, 1024}, {digits, 8192}, {wide, 1024}} {
		for _, mode := range []string{"train", "infer"} {
			for _, tf32 := range []bool{false, true} {
				cases = append(cases, cudaCase{size.dims, size.batch, mode, tf32, seconds})
			}
		}
	}
	return cases
}

// onCUDA prints the table, or answers cases that it reads.
func onCUDA(args []string) error {
	f := flag.NewFlagSet("bench cuda", flag.ContinueOnError)
	seconds := f.Float64("seconds", 1, "how long to measure each case")
	worker := f.Bool("worker", false, "read cases as JSON lines, and answer each")
	number := f.Int("device", 0, "the GPU's number")
	if err := f.Parse(args); err != nil {
		return err
	}
	g, err := cuda.Device(*number).Open()
	if err != nil {
		return err
	}
	if *worker {
		return answerCases(g, os.Stdin, os.Stdout)
	}
	fmt.Printf("%v, microseconds a step\n\n| case | step | host | products alone | share |\n|---|---|---|---|---|\n", g)
	for _, c := range cudaCases(*seconds) {
		r, err := c.measure(g)
		if err != nil {
			return err
		}
		fmt.Printf("| %v | %.1f | %.1f | %.1f | %.0f %% |\n", c, r.Step, r.Host, r.BLAS, 100*r.BLAS/r.Step)
	}
	return nil
}

func answerCases(g *cuda.GPU, from io.Reader, to io.Writer) error {
	in, out := json.NewDecoder(from), json.NewEncoder(to)
	for {
		var c cudaCase
		if err := in.Decode(&c); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		r, err := c.measure(g)
		if err != nil {
			return err
		}
		if err := out.Encode(r); err != nil {
			return err
		}
	}
}

func (c cudaCase) String() string {
	precision := "float32"
	if c.TF32 {
		precision = "TF32"
	}
	dims := strings.Trim(strings.ReplaceAll(fmt.Sprint(c.Dims), " ", "-"), "[]")
	return fmt.Sprintf("%s, B %d, %s, %s", dims, c.Batch, c.Mode, precision)
}

// measure takes the median over rounds of many steps, each round waited for at its end.
func (c cudaCase) measure(g *cuda.GPU) (r cudaResult, err error) {
	graph.SetFloat32MatmulPrecision(graph.Highest)
	if c.TF32 {
		graph.SetFloat32MatmulPrecision(graph.High)
	}
	step, err := c.step(g)
	if err != nil {
		return r, err
	}
	if r.Step, err = median(g, c.Seconds, step); err != nil {
		return r, err
	}
	if r.Host, err = hostTime(g, step, r.Step); err != nil {
		return r, err
	}
	products, err := c.products(g)
	if err != nil {
		return r, err
	}
	r.BLAS, err = median(g, c.Seconds/4, products)
	return r, err
}

// step is a training step, or a prediction whose value stays where it is.
func (c cudaCase) step(g *cuda.GPU) (func() error, error) {
	network := mlp{dims: c.Dims, batch: c.Batch}
	model, err := network.model()
	if err != nil {
		return nil, err
	}
	if err := model.To(g.Device()); err != nil {
		return nil, err
	}
	x, y := network.data()
	x, y = x.To(g.Device()), y.To(g.Device())
	if c.Mode == "infer" {
		return func() error { return model.Predict(x).Compute() }, nil
	}
	return trainingStep(model, x, y), nil
}

func trainingStep(model *sequential.Model, x, y *graph.Expr) func() error {
	optimizer, criterion := optimizers.SGD(model.Parameters(), 0.01), losses.CrossEntropy()
	return func() error {
		optimizer.ZeroGrad()
		if err := criterion.Of(model.Forward(x), y).Backward(); err != nil {
			return err
		}
		return optimizer.Step()
	}
}

// products are the step's matrix products alone.
func (c cudaCase) products(g *cuda.GPU) (run func() error, err error) {
	var p *cuda.Plan
	err = g.Do(func() error {
		p = g.NewPlan()
		for i := range len(c.Dims) - 1 {
			if err := c.layer(p, i); err != nil {
				return err
			}
		}
		return nil
	})
	return func() error { return g.Do(func() error { return p.Run() }) }, err
}

// layer adds the products of a layer.
func (c cudaCase) layer(p *cuda.Plan, i int) error {
	b, in, out := c.Batch, c.Dims[i], c.Dims[i+1]
	var at [3]*cuda.Place // input, weight, output
	for j, n := range []int{b * in, in * out, b * out} {
		var err error
		if at[j], err = p.Scratch(4 * n); err != nil {
			return err
		}
		p.Zero(at[j], 4*n)
	}
	if err := p.ByCuBLAS(cuda.NT, cuda.Float32, b, out, in, at[0], at[1], at[2]); err != nil || c.Mode == "infer" {
		return err
	}
	if err := p.ByCuBLAS(cuda.TN, cuda.Float32, out, in, b, at[2], at[0], at[1]); err != nil || i == 0 {
		return err
	}
	return p.ByCuBLAS(cuda.NN, cuda.Float32, b, in, out, at[2], at[1], at[0])
}

const warmUp = 10

// median is the time of a step in rounds of at least 10 milliseconds.
func median(g *cuda.GPU, seconds float64, step func() error) (float64, error) {
	if _, err := round(g, step, warmUp); err != nil {
		return 0, err
	}
	once, err := round(g, step, warmUp)
	if err != nil {
		return 0, err
	}
	n := max(1, int(math.Ceil(10_000/once)))
	var times []float64
	for end := time.Now().Add(time.Duration(seconds * float64(time.Second))); time.Now().Before(end) || len(times) < 3; {
		t, err := round(g, step, n)
		if err != nil {
			return 0, err
		}
		times = append(times, t)
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// round is the time of each of n steps.
func round(g *cuda.GPU, step func() error, n int) (float64, error) {
	start := time.Now()
	for range n {
		if err := step(); err != nil {
			return 0, err
		}
	}
	err := g.Do(g.Synchronize)
	return float64(time.Since(start).Nanoseconds()) / 1000 / float64(n), err
}

// hostTime is how long the host is busy with a step while nothing is waited for: so few that the driver takes all of them. The
// first after a wait isn't counted, in which the host wakes up.
func hostTime(g *cuda.GPU, step func() error, took float64) (float64, error) {
	const rounds = 15
	n := int(max(2, min(100, 50_000/took)))
	var times []float64
	for range rounds {
		if err := step(); err != nil {
			return 0, err
		}
		start := time.Now()
		for range n {
			if err := step(); err != nil {
				return 0, err
			}
		}
		times = append(times, float64(time.Since(start).Nanoseconds())/1000/float64(n))
		if err := g.Do(g.Synchronize); err != nil {
			return 0, err
		}
	}
	slices.Sort(times)
	return times[rounds/2], nil
}
