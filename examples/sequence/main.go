// Sequence learns from the sound of a vowel which of nine men said it, step by step in a recurrent layer, and prints how well it
// knows the voices on other occasions. It does what sequence.py does in PyTorch: the same seed, order and numbers.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/examples/internal/datasets"
	"github.com/seed-70b75153/aegis/examples/internal/fit"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// settings are those of sequence.py.
type settings struct {
	seed             uint64
	epochs, batch    int
	lr, gamma, decay float64
}

func main() {
	var s settings
	flag.Uint64Var(&s.seed, "seed", 1, "of the weights and the order")
	flag.IntVar(&s.epochs, "epochs", 40, "passes over the training utterances")
	flag.IntVar(&s.batch, "batch", 30, "utterances a step")
	flag.Float64Var(&s.lr, "lr", 5e-3, "learning rate of AdamW")
	flag.Float64Var(&s.gamma, "gamma", 0.95, "what the learning rate is multiplied by after each epoch")
	flag.Float64Var(&s.decay, "decay", 0.01, "weight decay of AdamW")
	save := flag.String("save", "", "write the trained model to this file")
	flag.Parse()

	ctx, stop := fit.Interruptible()
	defer stop()
	o, err := learn(ctx, s, fit.Progress(s.epochs))
	if err == nil && *save != "" {
		err = o.model.Save(*save)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sequence:", err)
		os.Exit(1)
	}
	fmt.Println(o.model)
	fmt.Printf("accuracy by the nearest mean, without the order of the steps: %.4f\n", o.baseline)
	fmt.Printf("test accuracy %.4f\n", o.accuracy)
}

// speaker is the model: the last output of a recurrent layer, in which all steps have left their mark, is given scores.
type speaker struct{ *sequential.Model }

func newSpeaker() speaker {
	return speaker{sequential.New(
		layers.Named("gru", layers.GRU(12, 64).BatchFirst(true)),
		layers.Named("head", layers.Linear(64, 9)),
	)}
}

// Forward takes (batch, steps, features) to a score for each man, (batch, 9).
func (m speaker) Forward(x *graph.Expr) *graph.Expr {
	outputs := m.Get("gru").Forward(x)
	return m.Get("head").Forward(outputs.Select(1, -1))
}

// outcome is what the training came to.
type outcome struct {
	model              speaker
	losses             []float64
	accuracy, baseline float64
}

// learn trains on the utterances of the training part, and tests on the others.
func learn(ctx context.Context, s settings, report func(epoch int, loss float64)) (*outcome, error) {
	vowels, err := datasets.Vowels()
	if err != nil {
		return nil, err
	}
	voices, labels := data.Of(padded(vowels.Steps)), data.Of(vowels.Labels)
	n := vowels.Train

	random.Seed(s.seed)
	o := &outcome{model: newSpeaker(), baseline: nearestMean(vowels)}
	optimizer := optimizers.AdamW(o.model.Parameters(), s.lr).WeightDecay(s.decay)
	o.losses, err = fit.Training{
		Model: o.model, Criterion: losses.CrossEntropy(), Optimizer: optimizer, Epochs: s.epochs,
		Scheduler: optimizers.ExponentialLR(optimizer, s.gamma),
		Loader:    data.NewLoader(voices.Slice(0, 0, n), labels.Slice(0, 0, n)).BatchSize(s.batch).Shuffle(true),
	}.Run(ctx, report)
	if err != nil {
		return nil, err
	}
	o.model.Eval()
	o.accuracy, err = fit.Accuracy(o.model.Forward(voices.Slice(0, n, graph.End)), labels.Slice(0, n, graph.End))
	return o, err
}

// padded gives all sequences the length of the longest one by steps of zeros before it, so that all end with the last step.
func padded(sequences [][][]float32) [][][]float32 {
	longest := 0
	for _, s := range sequences {
		longest = max(longest, len(s))
	}
	equal := make([][][]float32, len(sequences))
	for i, s := range sequences {
		for range longest - len(s) {
			equal[i] = append(equal[i], make([]float32, len(s[0])))
		}
		equal[i] = append(equal[i], s...)
	}
	return equal
}
