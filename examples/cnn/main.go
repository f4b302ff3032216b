// Cnn learns the UCI handwritten digits as images, by convolutions, batch normalization and pools, and prints how well it
// knows those that it has not seen. It does what cnn.py does in PyTorch: the same seed, split, order and numbers.
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

// settings are those of cnn.py.
type settings struct {
	seed          uint64
	epochs, batch int
	lr, decay     float64
}

func main() {
	var s settings
	flag.Uint64Var(&s.seed, "seed", 1, "of the split, the weights and the order")
	flag.IntVar(&s.epochs, "epochs", 15, "passes over the training images")
	flag.IntVar(&s.batch, "batch", 32, "images a step")
	flag.Float64Var(&s.lr, "lr", 2e-3, "learning rate of AdamW")
	flag.Float64Var(&s.decay, "decay", 0.05, "weight decay of AdamW")
	save := flag.String("save", "", "write the trained model to this file")
	flag.Parse()

	ctx, stop := fit.Interruptible()
	defer stop()
	o, err := learn(ctx, s, fit.Progress(s.epochs))
	if err == nil && *save != "" {
		err = o.model.Save(*save)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cnn:", err)
		os.Exit(1)
	}
	fmt.Println(o.model)
	fmt.Printf("test accuracy %.4f\n", o.accuracy)
}

// outcome is what the training came to.
type outcome struct {
	model    *sequential.Model
	losses   []float64
	accuracy float64
}

// learn trains on four fifths of the images and tests on the others.
func learn(ctx context.Context, s settings, report func(epoch int, loss float64)) (*outcome, error) {
	digits, err := datasets.Digits()
	if err != nil {
		return nil, err
	}
	images, labels := data.Of(digits.Features).MulScalar(1.0/16).Reshape(-1, 1, 8, 8), data.Of(digits.Labels)

	random.Seed(s.seed)
	train, test := fit.Split(len(digits.Labels))
	model := sequential.New(
		layers.Conv2d(1, 16, 3).Padding(1),
		layers.BatchNorm2d(16),
		layers.ReLU(),
		layers.MaxPool2d(2),
		layers.Conv2d(16, 32, 3).Padding(1),
		layers.BatchNorm2d(32),
		layers.ReLU(),
		layers.MaxPool2d(2),
		layers.Flatten(),
		layers.Linear(128, 10),
	)
	o := &outcome{model: model}
	o.losses, err = fit.Training{
		Model: model, Criterion: losses.CrossEntropy(), Optimizer: optimizers.AdamW(model.Parameters(), s.lr).WeightDecay(s.decay), Epochs: s.epochs,
		Loader: data.NewLoader(data.Rows(images, train), data.Rows(labels, train)).BatchSize(s.batch).Shuffle(true),
	}.Run(ctx, report)
	if err != nil {
		return nil, err
	}
	o.accuracy, err = fit.Accuracy(model.Predict(data.Rows(images, test)), data.Rows(labels, test))
	return o, err
}
