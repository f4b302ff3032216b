package main

import (
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// result is what was measured, in microseconds.
type result struct {
	Dims    string  `json:"dims"`
	Batch   int     `json:"batch"`
	Mode    string  `json:"mode"`
	Rule    string  `json:"optimizer"`
	Threads int     `json:"threads"`
	SIMD    string  `json:"simd"`
	Median  float64 `json:"median_us"`
	Min     float64 `json:"min_us"`
	Allocs  float64 `json:"allocs"`
}

// measure makes a step, and repeats it in rounds of about a millisecond. r says what it is.
func measure(r result, seconds float64, make func() (func() error, error)) (result, error) {
	kernel.SetThreads(r.Threads)
	step, err := make()
	if err != nil {
		return r, err
	}
	for range 5 { // compile, and warm the caches
		if err := step(); err != nil {
			return r, err
		}
	}
	round := 1
	start := time.Now()
	if err := step(); err != nil {
		return r, err
	}
	if once := time.Since(start); once < time.Millisecond {
		round = int(math.Ceil(float64(time.Millisecond) / float64(once)))
	}
	var before, after runtime.MemStats
	var times []float64
	steps := 0
	runtime.ReadMemStats(&before)
	for end := time.Now().Add(time.Duration(seconds * float64(time.Second))); time.Now().Before(end); {
		start := time.Now()
		for range round {
			if err := step(); err != nil {
				return r, err
			}
		}
		times = append(times, float64(time.Since(start).Nanoseconds())/1000/float64(round))
		steps += round
	}
	runtime.ReadMemStats(&after)
	slices.Sort(times)
	r.SIMD, r.Median, r.Min = kernel.SIMD(), times[len(times)/2], times[0]
	r.Allocs = float64(after.Mallocs-before.Mallocs) / float64(steps)
	return r, nil
}
