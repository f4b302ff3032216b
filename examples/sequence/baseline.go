package main

import (
	"math"

	"github.com/seed-70b75153/aegis/examples/internal/datasets"
)

// nearestMean is the share of test utterances whose mean step is nearest to that of their speaker's training utterances: what
// can be known of a voice without the order of the steps.
func nearestMean(table *datasets.Sequences) float64 {
	sums, counts := make([][]float64, len(table.Classes)), make([]float64, len(table.Classes))
	for i, steps := range table.Steps[:table.Train] {
		label := table.Labels[i]
		sums[label] = added(sums[label], mean(steps), 1)
		counts[label]++
	}
	right := 0
	for i, steps := range table.Steps[table.Train:] {
		best, nearest := 0, math.Inf(1)
		for class, sum := range sums {
			away := 0.0
			for _, d := range added(mean(steps), sum, -1/counts[class]) {
				away += d * d
			}
			if away < nearest {
				best, nearest = class, away
			}
		}
		if int64(best) == table.Labels[table.Train+i] {
			right++
		}
	}
	return float64(right) / float64(len(table.Steps)-table.Train)
}

// mean is the mean of the steps.
func mean(steps [][]float32) []float64 {
	m := make([]float64, len(steps[0]))
	for _, step := range steps {
		for j, x := range step {
			m[j] += float64(x) / float64(len(steps))
		}
	}
	return m
}

// added is a + scale·b, a being zeros where it is nil.
func added(a, b []float64, scale float64) []float64 {
	sum := make([]float64, len(b))
	copy(sum, a)
	for j := range sum {
		sum[j] += scale * b[j]
	}
	return sum
}
