package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

// transformerBlock is what the layers of a Transformer's encoder and decoder share.
type transformerBlock struct {
	size, heads, feedforward int
	dropout, eps             float64
	activation               string
	batchFirst, normFirst    bool
	bias                     bool
	cross                    bool // a decoder's: attends to the encoder's output, too
}

// attention is the attention of the block, or its second one.
func (b transformerBlock) attention() MultiheadAttentionLayer {
	return MultiheadAttention(b.size, b.heads).Dropout(b.dropout).Bias(b.bias).BatchFirst(b.batchFirst).NeedWeights(false)
}

// norms is how many layer norms there are, each after a residual sum or before its branch.
func (b transformerBlock) norms() int {
	if b.cross {
		return 3
	}
	return 2
}

func (b transformerBlock) parts() parts {
	ps := parts{{"self_attn", b.attention()}}
	if b.cross {
		ps = append(ps, part{"multihead_attn", b.attention()})
	}
	ps = append(ps,
		part{"linear1", Linear(b.size, b.feedforward).Bias(b.bias)}, part{"dropout", Dropout(b.dropout)},
		part{"linear2", Linear(b.feedforward, b.size).Bias(b.bias)})
	for i := range b.norms() {
		ps = append(ps, part{fmt.Sprint("norm", i+1), LayerNorm(b.size).Eps(b.eps).Bias(b.bias)})
	}
	for i := range b.norms() {
		ps = append(ps, part{fmt.Sprint("dropout", i+1), Dropout(b.dropout)})
	}
	return ps
}

// activations are those that PyTorch knows by name.
var activations = map[string]Layer{"relu": ReLU(), "gelu": GELU()}

// attending is one attention's keys and masks; keys are the queries themselves where they are nil.
type attending struct {
	keys, padding, mask *gorgonia.Node
	causal              bool
}

// call builds the block: x goes through each branch, its norm before or after the residual sum.
func (b transformerBlock) call(scope *graph.Scope, x *gorgonia.Node, attentions ...attending) (*gorgonia.Node, error) {
	ps := b.parts()
	branches := make([]func(x *gorgonia.Node) (*gorgonia.Node, error), 0, 3)
	for i, a := range attentions {
		p := ps[i]
		p.layer = p.layer.(MultiheadAttentionLayer).Causal(a.causal)
		branches = append(branches, func(x *gorgonia.Node) (*gorgonia.Node, error) {
			keys := a.keys
			if keys == nil {
				keys = x
			}
			return p.call(scope, x, keys, keys, a.padding, a.mask)
		})
	}
	branches = append(branches, func(x *gorgonia.Node) (*gorgonia.Node, error) {
		for _, p := range []part{ps.named("linear1"), {"activation", activations[b.activation]}, ps.named("dropout"), ps.named("linear2")} {
			var err error
			if x, err = p.call(scope, x); err != nil {
				return nil, err
			}
		}
		return x, nil
	})
	for i, branch := range branches {
		norm, drop := ps.named(fmt.Sprint("norm", i+1)), ps.named(fmt.Sprint("dropout", i+1))
		y, err := x, error(nil)
		if b.normFirst {
			y, err = norm.call(scope, y)
		}
		if err == nil {
			y, err = branch(y)
		}
		if err == nil {
			y, err = drop.call(scope, y)
		}
		if err == nil {
			x, err = ops.Add(x, y)
		}
		if err == nil && !b.normFirst {
			x, err = norm.call(scope, x)
		}
		if err != nil {
			return nil, err
		}
	}
	return x, nil
}

func (b transformerBlock) check() error {
	if _, ok := activations[b.activation]; !ok {
		return &ops.ValueError{What: "activation", Got: fmt.Sprintf("%q", b.activation), Want: `"relu" or "gelu"`}
	}
	return b.parts().check()
}
