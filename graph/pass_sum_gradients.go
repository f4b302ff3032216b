package graph

import (
	"fmt"
	"strings"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
)

// sumGradients replaces the additions with which Gorgonia sums the gradients of a value that is used several times by
// our own, so that they run among our operations.
func sumGradients(p *Plan) error {
	return p.rewrite(func(old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		if !isStockAdd(old) || len(in) != 2 || !in[0].Shape().Eq(in[1].Shape()) || !ours(in[0]) || !ours(in[1]) {
			return nil, nil
		}
		return ops.Add(in[0], in[1])
	})
}

// isStockAdd recognises Gorgonia's element-wise addition, whose type is not exported.
func isStockAdd(n *gorgonia.Node) bool {
	return n.Op() != nil && fmt.Sprintf("%T", n.Op()) == "gorgonia.elemBinOp" && strings.HasPrefix(n.Op().String(), "+")
}

func ours(n *gorgonia.Node) bool { return n.Op() == nil || ops.Of(n) != nil }
