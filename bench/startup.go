package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/seed-70b75153/aegis/graph"
)

// startup builds bench/predict stripped, and measures it from the process's start to its first prediction; then what
// compiling a program for a new shape costs.
func startup(args []string) error {
	f := flag.NewFlagSet("bench startup", flag.ContinueOnError)
	runs := f.Int("runs", 21, "how often to start")
	if err := f.Parse(args); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "aegis")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	binary := filepath.Join(folder, "predict")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", binary, "github.com/seed-70b75153/aegis/bench/predict")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	info, err := os.Stat(binary)
	if err != nil {
		return err
	}
	var times []time.Duration
	var memory int64
	for range *runs {
		took, most, err := start(binary)
		if err != nil {
			return err
		}
		times, memory = append(times, took), max(memory, most)
	}
	slices.Sort(times)
	compile, err := compileTime()
	if err != nil {
		return err
	}
	fmt.Printf("784-512-256-10: first prediction %.1f ms after the start (median of %d), at most %.1f MB resident, stripped binary %.1f MB, compiling for a new shape %.2f ms\n",
		milliseconds(times[len(times)/2]), *runs, float64(memory)/1e6, float64(info.Size())/1e6, milliseconds(compile))
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// start runs the program: the time to its first line, and the most memory it held, in bytes; 0 where the system doesn't tell.
func start(binary string) (took time.Duration, memory int64, err error) {
	command := exec.Command(binary)
	out, err := command.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := command.Start(); err != nil {
		return 0, 0, err
	}
	_, err = bufio.NewReader(out).ReadString('\n')
	took = time.Since(began)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err := errors.Join(err, command.Wait()); err != nil {
		return 0, 0, err
	}
	return took, maxResident(command.ProcessState), nil
}

// compileTime is the median time of a prediction of a shape not seen before, less that of one seen.
func compileTime() (time.Duration, error) {
	c := mlp{dims: []int{784, 512, 256, 10}, mode: "infer"}
	model, err := c.model()
	if err != nil {
		return 0, err
	}
	var times []time.Duration
	for range 21 {
		graph.Forget(model.Programs())
		c.batch = 2
		x, _ := c.data()
		began := time.Now()
		if _, err := model.Predict(x).Array(); err != nil {
			return 0, err
		}
		first := time.Since(began)
		began = time.Now()
		if _, err := model.Predict(x).Array(); err != nil {
			return 0, err
		}
		times = append(times, first-time.Since(began))
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}
