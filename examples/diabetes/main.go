// Diabetes foretells the progression of a disease from ten measurements: regression on a table of 442 patients. It does
// what diabetes.py does in PyTorch: the same seed, split, order and numbers.
package main

import (
	"context"
	"flag"
	"fmt"
	"math"
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
	seed := flag.Uint64("seed", 42, "of the split, the weights and the order")
	epochs := flag.Int("epochs", 60, "passes over the training patients")
	flag.Parse()
	ctx, stop := fit.Interruptible()
	defer stop()
	_, rmse, err := learn(ctx, *seed, *epochs, fit.Progress(*epochs))
	if err != nil {
		fmt.Fprintln(os.Stderr, "diabetes:", err)
		os.Exit(1)
	}
	fmt.Printf("test error %.2f (root mean square, of a progression from 25 to 346)\n", rmse)
}

// learn trains on four fifths of the patients and gives the error on the others.
func learn(ctx context.Context, seed uint64, epochs int, report func(epoch int, loss float64)) (curve []float64, rmse float64, err error) {
	patients, err := datasets.Diabetes()
	if err != nil {
		return nil, 0, err
	}
	column := make([][]float32, len(patients.Targets))
	for i, v := range patients.Targets {
		column[i] = []float32{v}
	}

	random.Seed(seed)
	train, test := fit.Split(len(column))
	features, _ := standardised(patients.Features, train)
	targets, scale := standardised(column, train)
	model := sequential.New(layers.Linear(10, 16), layers.GELU(), layers.Dropout(0), layers.Linear(16, 1))
	criterion := losses.MSE()
	curve, err = fit.Training{
		Model: model, Criterion: criterion, Optimizer: optimizers.AdamW(model.Parameters(), 5e-3).WeightDecay(0.1), Epochs: epochs,
		Loader: data.NewLoader(data.Rows(features, train), data.Rows(targets, train)).BatchSize(32).Shuffle(true),
	}.Run(ctx, report)
	if err != nil {
		return nil, 0, err
	}
	mse, err := criterion.Of(model.Predict(data.Rows(features, test)), data.Rows(targets, test)).Item()
	return curve, math.Sqrt(mse) * scale[0], err
}
