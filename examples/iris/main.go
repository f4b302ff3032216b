// Iris tells three species of iris apart by four lengths, with momentum and a learning rate that falls. It does what
// iris.py does in PyTorch: the same seed, split, order and numbers.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/examples/internal/datasets"
	"github.com/seed-70b75153/aegis/examples/internal/fit"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

func main() {
	seed := flag.Uint64("seed", 1, "of the split, the weights and the order")
	epochs := flag.Int("epochs", 100, "passes over the training flowers")
	flag.Parse()
	ctx, stop := fit.Interruptible()
	defer stop()
	_, accuracy, err := learn(ctx, *seed, *epochs, fit.Progress(*epochs))
	if err != nil {
		fmt.Fprintln(os.Stderr, "iris:", err)
		os.Exit(1)
	}
	fmt.Printf("test accuracy %.4f\n", accuracy)
}

// learn trains on four fifths of the flowers and tests on the others.
func learn(ctx context.Context, seed uint64, epochs int, report func(epoch int, loss float64)) (curve []float64, accuracy float64, err error) {
	flowers, err := datasets.Iris()
	if err != nil {
		return nil, 0, err
	}
	features, labels := data.Of(flowers.Features), data.Of(flowers.Labels)

	random.Seed(seed)
	train, test := fit.Split(len(flowers.Labels))
	model := sequential.New(layers.Linear(4, 16), layers.Tanh(), layers.Linear(16, 3))
	optimizer := optimizers.SGD(model.Parameters(), 0.01).Momentum(0.9)
	curve, err = fit.Training{
		Model: model, Criterion: losses.CrossEntropy(), Optimizer: optimizer, Epochs: epochs,
		Scheduler: optimizers.StepLR(optimizer, 50, 0.1),
		Loader:    data.NewLoader(data.Rows(features, train), data.Rows(labels, train)).BatchSize(16).Shuffle(true),
	}.Run(ctx, report)
	if err != nil {
		return nil, 0, err
	}
	accuracy, err = fit.Accuracy(model.Predict(data.Rows(features, test)), data.Rows(labels, test))
	return curve, accuracy, err
}
