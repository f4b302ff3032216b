// Predict is the smallest program that predicts: a 784-512-256-10 network, one row, and done. `bench startup` times it.
package main

import (
	"fmt"
	"os"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

func main() {
	random.Seed(42)
	model := sequential.New(layers.Linear(784, 512), layers.ReLU(), layers.Linear(512, 256), layers.ReLU(), layers.Linear(256, 10))
	prediction := model.Predict(data.Of(make([]float32, 784)))
	if err := prediction.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(prediction)
}
