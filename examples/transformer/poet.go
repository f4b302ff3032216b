package main

import (
	"fmt"
	"io"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/initializers"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

const (
	steps = 64 // how many characters the model sees
	width = 64 // of the vector that stands for a character
)

// poet is a Transformer that scores what comes next in a text: a vector for each character and one for its place, two layers
// of attention, in which each place sees those before it, and a score for each letter of the alphabet.
type poet struct {
	*sequential.Model
	letters alphabet
	places  *graph.Expr
	mask    *graph.Expr
}

func newPoet(letters alphabet) (*poet, error) {
	layer := layers.TransformerEncoderLayer(width, 4).DimFeedforward(4 * width).
		Dropout(0).Activation("gelu").BatchFirst(true).NormFirst(true)
	model := sequential.New(
		layers.Named("characters", layers.Embedding(len(letters), width)),
		layers.Named("places", layers.Embedding(steps, width)),
		layers.Named("encoder", layers.TransformerEncoder(layer, 2).Norm(layers.LayerNorm(width))),
		layers.Named("head", layers.Linear(width, len(letters))),
	)
	for _, name := range []string{"characters.weight", "places.weight"} {
		if err := model.Param(name).Init(initializers.Normal{Std: 0.1}); err != nil {
			return nil, err
		}
	}
	return &poet{Model: model, letters: letters, places: data.Arange(steps), mask: layers.CausalMask(steps)}, nil
}

// Forward takes (batch, steps) to scores of what follows each step, (batch, alphabet, steps).
func (p *poet) Forward(x *graph.Expr) *graph.Expr {
	y := p.Get("characters").Forward(x).Add(p.Get("places").Forward(p.places))
	y = p.Get("encoder").Call(y, graph.Named("mask", p.mask))[0]
	return p.Get("head").Forward(y).Transpose(1, 2)
}

// write goes on with a text: again and again it draws a character by its probability, which is the softmax of the scores divided by
// the temperature.
func (p *poet) write(w io.Writer, text string, length int, temperature float64) error {
	if text == "" {
		return fmt.Errorf("the text to go on with is empty")
	}
	if !(temperature > 0) {
		return fmt.Errorf("the temperature is %g, want more than 0", temperature)
	}
	written, err := p.letters.indices(text)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, text); err != nil {
		return err
	}
	u := make([]float32, 1)
	for range length {
		window := make([]int64, steps) // what is after the text's end is hidden from it by the mask
		end := copy(window, written[max(len(written)-steps, 0):])
		scores := p.Forward(data.Of([][]int64{window})).Select(2, end-1)
		probabilities, err := scores.Double().MulScalar(1 / temperature).Softmax(1).Floats()
		if err != nil {
			return err
		}
		random.Uniform(random.Default(), u, 0, 1)
		next, below := 0, probabilities[0]
		for below < float64(u[0]) && next < len(probabilities)-1 {
			next++
			below += probabilities[next]
		}
		written = append(written, int64(next))
		if _, err := w.Write([]byte{p.letters[next]}); err != nil {
			return err
		}
	}
	return nil
}
