// Bench measures training steps and predictions of ReLU networks.
//
//	go run ./bench mlp -dims 784,512,256,10 -batch 64 -optimizer sgd -mode train -threads 2 -json
//	go run ./bench lenet -mode infer # and cnn, lstm, gru, transformer, layernorm, embedding
//	go run ./bench parts -case 3   # one layer, loss or optimizer of bench/compare/parts.json
//	go run ./bench linear          # cost against batch, width and threads
//	go run ./bench startup         # start, memory, binary and compiling of a program that predicts
//	go run ./bench load -for 10m   # everything at once: the same bits as alone?
//	go run -tags gpu ./bench cuda  # ReLU networks on a GPU
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
		os.Exit(2)
	}
}

var commands = map[string]func(args []string) error{"mlp": network, "linear": linear, "startup": startup, "load": load, "cuda": onCUDA, "parts": parts}

func run(args []string) error {
	if len(args) > 0 {
		if command, ok := commands[args[0]]; ok {
			return command(args[1:])
		}
		if m, ok := models[args[0]]; ok {
			return m.command(args[0], args[1:])
		}
	}
	return fmt.Errorf("want: bench mlp, linear, startup, load, parts, cuda, %s, then flags; -h after one of them lists its own",
		strings.Join(slices.Sorted(maps.Keys(models)), ", "))
}

// network measures one network.
func network(args []string) error {
	c, asJSON, err := parse(args)
	if err != nil {
		return err
	}
	result, err := c.measure()
	if err != nil {
		return err
	}
	return result.print(asJSON)
}

// print prints a line.
func (r result) print(asJSON bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	fmt.Printf("%s B %d %s %s, %d threads, %s: median %.2f µs, min %.2f µs, %.0f allocations\n",
		r.Dims, r.Batch, r.Mode, r.Rule, r.Threads, r.SIMD, r.Median, r.Min, r.Allocs)
	return nil
}

// parse reads the flags of a measurement.
func parse(args []string) (c mlp, asJSON bool, err error) {
	f := flag.NewFlagSet("bench mlp", flag.ContinueOnError)
	dims := f.String("dims", "784,512,256,10", "the layers' sizes, input first")
	f.IntVar(&c.batch, "batch", 64, "rows a step")
	f.StringVar(&c.optimizer, "optimizer", "sgd", "sgd or adam")
	f.StringVar(&c.mode, "mode", "train", "train (a step: forward, loss, backward, update) or infer")
	f.IntVar(&c.threads, "threads", runtime.GOMAXPROCS(0), "threads of the kernels")
	f.Float64Var(&c.seconds, "seconds", 1, "how long to measure")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	if err := f.Parse(args); err != nil {
		return c, false, err
	}
	for _, d := range strings.Split(*dims, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(d))
		if err != nil || n < 1 {
			return c, false, fmt.Errorf("dims %q, want sizes above 0 between commas", *dims)
		}
		c.dims = append(c.dims, n)
	}
	switch {
	case len(c.dims) < 2:
		err = fmt.Errorf("dims %q, want two sizes or more", *dims)
	case c.batch < 1 || c.threads < 1 || c.seconds <= 0:
		err = errors.New("batch, threads and seconds must be above 0")
	case c.mode != "train" && c.mode != "infer":
		err = fmt.Errorf("mode %q, want train or infer", c.mode)
	case c.optimizer != "sgd" && c.optimizer != "adam":
		err = fmt.Errorf("optimizer %q, want sgd or adam", c.optimizer)
	}
	return c, asJSON, err
}
