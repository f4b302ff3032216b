// Package fit is what the examples share: the training loop, the split, and progress on the terminal.
package fit

import (
	"context"
	"flag"
	"fmt"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
)

// device is a flag of every example that trains.
var device = flag.String("device", "cpu", "where to train: cpu, or cuda in a program built with -tags gpu")

// Model is what a [Training] trains: a sequential.Model, or several layers joined in another way.
type Model interface {
	Forward(x *graph.Expr) *graph.Expr
	To(d graph.Device) error
}

// Training is a model with all that it is trained by.
type Training struct {
	Model     Model
	Criterion losses.Loss
	Optimizer optimizers.Optimizer
	Scheduler optimizers.Scheduler // stepped after each epoch, or nil
	Loader    data.Loader
	Epochs    int
}

// Run trains until the epochs are over or the context ends, and gives the mean loss of each epoch. After each one it calls
// report, unless that is nil.
func (t Training) Run(ctx context.Context, report func(epoch int, loss float64)) ([]float64, error) {
	d, err := graph.ParseDevice(*device)
	if err != nil {
		return nil, err
	}
	if err := t.Model.To(d); err != nil {
		return nil, err
	}
	var means []float64
	for epoch := range t.Epochs {
		total, rows := 0.0, 0
		for batch := range t.Loader.Batches() {
			if err := ctx.Err(); err != nil {
				return means, err
			}
			loss, n, err := t.step(batch)
			if err != nil {
				return means, fmt.Errorf("epoch %d: %w", epoch+1, err)
			}
			total += loss * float64(n)
			rows += n
		}
		if t.Scheduler != nil {
			if err := t.Scheduler.Step(); err != nil {
				return means, err
			}
		}
		means = append(means, total/float64(rows))
		if report != nil {
			report(epoch+1, means[epoch])
		}
	}
	return means, nil
}

// step is one step of training; it gives the loss and the number of rows.
func (t Training) step(batch data.Batch) (loss float64, rows int, err error) {
	t.Optimizer.ZeroGrad()
	l := t.Criterion.Of(t.Model.Forward(batch.X), batch.Y)
	if err := l.Backward(); err != nil {
		return 0, 0, err
	}
	if err := t.Optimizer.Step(); err != nil {
		return 0, 0, err
	}
	shape, err := batch.X.Shape()
	if err != nil {
		return 0, 0, err
	}
	loss, err = l.Item()
	return loss, shape[0], err
}

// Split draws a random order of n rows from the default generator, and cuts it into 80 and 20 percent.
func Split(n int) (train, test []int64) {
	order := random.Randperm(random.Default(), n)
	cut := n * 8 / 10
	return order[:cut], order[cut:]
}

// Accuracy is the share of rows whose largest score is at the label.
func Accuracy(scores, labels *graph.Expr) (float64, error) {
	got, err := data.ArgMax(scores, 1).Floats()
	if err != nil {
		return 0, err
	}
	want, err := labels.Floats()
	if err != nil {
		return 0, err
	}
	right := 0
	for i := range want {
		if got[i] == want[i] {
			right++
		}
	}
	return float64(right) / float64(len(want)), nil
}
