package main

import (
	"errors"
	"flag"
	"fmt"
	"runtime"
)

// linear shows how the cost of a training step grows: with the batch and the width doubled, and with a second thread. It fails
// where doubling costs more than 2.2 times in the compute-bound range, or two threads give less than 1.7 times one. A width
// doubled on both sides of a weight is four times the work, so there the bound is 2.2 twice.
func linear(args []string) error {
	f := flag.NewFlagSet("bench linear", flag.ContinueOnError)
	seconds := f.Float64("seconds", 0.3, "how long to measure each step")
	rounds := f.Int("rounds", 5, "how often; the least counts")
	if err := f.Parse(args); err != nil {
		return err
	}
	var failed error
	check := func(what string, ratio, least, most float64) {
		verdict := "ok"
		if ratio < least || ratio > most {
			verdict = "FAILED"
			failed = errors.Join(failed, fmt.Errorf("%s: %.2f, want %g to %g", what, ratio, least, most))
		}
		fmt.Printf("%-60s %5.2f  %s\n", what, ratio, verdict)
	}
	measure := func(cases ...mlp) ([]float64, error) {
		best := make([]float64, len(cases))
		for round := range *rounds {
			for i, c := range cases {
				c.mode, c.optimizer, c.seconds = "train", "sgd", *seconds
				r, err := c.measure()
				if err != nil {
					return nil, err
				}
				if round == 0 || r.Median < best[i] {
					best[i] = r.Median
				}
			}
		}
		return best, nil
	}
	notes := []int{784, 512, 256, 10}
	batches := []mlp{{dims: notes, batch: 64}, {dims: notes, batch: 128}, {dims: notes, batch: 256}, {dims: notes, batch: 512}, {dims: notes, batch: 1024}}
	widths := []mlp{{dims: []int{256, 256, 256}, batch: 128}, {dims: []int{512, 512, 512}, batch: 128}, {dims: []int{1024, 1024, 1024}, batch: 128}}
	for i := range batches {
		batches[i].threads = 1
	}
	for i := range widths {
		widths[i].threads = 1
	}
	times, err := measure(batches...)
	if err != nil {
		return err
	}
	for i := range times[1:] {
		check(fmt.Sprintf("784-512-256-10, 1 thread, B %d over B %d", batches[i+1].batch, batches[i].batch), times[i+1]/times[i], 0, 2.2)
	}
	if times, err = measure(widths...); err != nil {
		return err
	}
	for i := range times[1:] {
		check(fmt.Sprintf("width %d over %d, B 128, 1 thread", widths[i+1].dims[0], widths[i].dims[0]), times[i+1]/times[i], 0, 2.2*2.2)
	}
	if runtime.NumCPU() < 2 {
		fmt.Println("skipped: two threads (this machine has one processor)")
		return failed
	}
	for _, batch := range []int{256, 1024} {
		times, err := measure(mlp{dims: notes, batch: batch, threads: 1}, mlp{dims: notes, batch: batch, threads: 2})
		if err != nil {
			return err
		}
		check(fmt.Sprintf("784-512-256-10, B %d, 1 thread over 2", batch), times[0]/times[1], 1.7, 4)
	}
	return failed
}
