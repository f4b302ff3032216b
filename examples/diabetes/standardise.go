package main

import (
	"math"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
)

// standardised takes each column's mean over the given rows off, and divides by their deviation.
func standardised(table [][]float32, rows []int64) (x *graph.Expr, deviations []float64) {
	width := len(table[0])
	means := make([]float64, width)
	deviations = make([]float64, width)
	for j := range width {
		for _, r := range rows {
			means[j] += float64(table[r][j])
		}
		means[j] /= float64(len(rows))
		for _, r := range rows {
			d := float64(table[r][j]) - means[j]
			deviations[j] += d * d
		}
		deviations[j] = math.Sqrt(deviations[j] / float64(len(rows)))
	}
	out := make([][]float32, len(table))
	for i, row := range table {
		out[i] = make([]float32, width)
		for j, v := range row {
			out[i][j] = float32((float64(v) - means[j]) / deviations[j])
		}
	}
	return data.Of(out), deviations
}
