// Transformer learns Shakespeare's sonnets, a character after the other, and writes verses of its own. It does what
// transformer.py does in PyTorch: the same seed, order and numbers.
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
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
)

// settings are those of transformer.py.
type settings struct {
	seed             uint64
	epochs, batch    int
	lr, gamma, decay float64
}

func main() {
	var s settings
	flag.Uint64Var(&s.seed, "seed", 1, "of the weights, the order and the verses")
	flag.IntVar(&s.epochs, "epochs", 24, "passes over the sonnets")
	flag.IntVar(&s.batch, "batch", 16, "windows a step")
	flag.Float64Var(&s.lr, "lr", 3e-3, "learning rate of AdamW")
	flag.Float64Var(&s.gamma, "gamma", 0.92, "what the learning rate is multiplied by after each epoch")
	flag.Float64Var(&s.decay, "decay", 0.1, "weight decay of AdamW")
	prompt := flag.String("prompt", "Shall I compare thee to a summer's day?\n", "what the verses begin with")
	length := flag.Int("length", 400, "how many characters to write")
	temperature := flag.Float64("temperature", 0.7, "how daring the verses are: below 1 likely characters are drawn more often")
	save := flag.String("save", "", "write the trained model to this file")
	flag.Parse()

	ctx, stop := fit.Interruptible()
	defer stop()
	o, err := learn(ctx, s, fit.ValidatedProgress(s.epochs))
	if err == nil && *save != "" {
		err = o.model.Save(*save)
	}
	if err == nil {
		err = o.model.write(os.Stdout, *prompt, *length, *temperature)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "transformer:", err)
		os.Exit(1)
	}
	fmt.Printf("\n\naccuracy by what most often follows the two characters before: %.4f\n", o.baseline)
	fmt.Printf("test accuracy %.4f\n", o.accuracy)
}

// outcome is what the training came to. Losses are those of each epoch, in nats a character; the validation's are of the test's
// sonnets.
type outcome struct {
	model              *poet
	losses, validation []float64
	accuracy, baseline float64
}

// learn trains on nine of ten sonnets, and tests on every tenth. Each epoch cuts the text at other places.
func learn(ctx context.Context, s settings, report func(epoch int, loss, validation float64)) (*outcome, error) {
	sonnets, err := datasets.Sonnets()
	if err != nil {
		return nil, err
	}
	train, test := split(sonnets)
	letters := alphabetOf(train + test)
	testX, testY, err := letters.windows(test)
	if err != nil {
		return nil, err
	}

	random.Seed(s.seed)
	o := &outcome{baseline: mostFrequent(train, test)}
	if o.model, err = newPoet(letters); err != nil {
		return nil, err
	}
	optimizer := optimizers.AdamW(o.model.Parameters(), s.lr).WeightDecay(s.decay)
	training := fit.Training{
		Model: o.model, Criterion: losses.CrossEntropy(), Optimizer: optimizer,
		Scheduler: optimizers.ExponentialLR(optimizer, s.gamma), Epochs: 1,
	}
	from := make([]int64, 1)
	for epoch := range s.epochs {
		if err := random.Randint(random.Default(), from, 0, steps); err != nil {
			return nil, err
		}
		x, y, err := letters.windows(train[from[0]:])
		if err != nil {
			return nil, err
		}
		training.Loader = data.NewLoader(x, y).BatchSize(s.batch).Shuffle(true)
		o.model.Train()
		loss, err := training.Run(ctx, nil)
		if err != nil {
			return nil, err
		}
		validation, err := o.validate(testX, testY)
		if err != nil {
			return nil, err
		}
		o.losses, o.validation = append(o.losses, loss...), append(o.validation, validation)
		if report != nil {
			report(epoch+1, loss[0], validation)
		}
	}
	return o, nil
}

// validate gives the loss of the test, and sets the accuracy.
func (o *outcome) validate(x, y *graph.Expr) (loss float64, err error) {
	o.model.Eval()
	scores := o.model.Forward(x)
	if loss, err = losses.CrossEntropy().Of(scores, y).Item(); err == nil {
		o.accuracy, err = fit.Accuracy(scores, y)
	}
	return loss, err
}
