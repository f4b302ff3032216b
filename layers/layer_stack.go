package layers

import (
	"fmt"
	"strings"

	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

// layerStack is a number of copies of one layer, and a norm after the last, or none.
type layerStack struct {
	layer Layer
	count int
	norm  Layer
}

// copies are the layers by their places.
func (s layerStack) copies() parts {
	ps := make(parts, max(s.count, 0))
	for i := range ps {
		ps[i] = part{fmt.Sprint("layers.", i), s.layer}
	}
	return ps
}

func (s layerStack) parts() parts {
	ps := s.copies()
	if s.norm != nil {
		ps = append(ps, part{"norm", s.norm})
	}
	return ps
}

// draws are the layer's own, made before the stack, and the norm's; the layers then take the first one's values.
func (s layerStack) draws() []graph.Draw {
	if s.count < 1 {
		return nil
	}
	draws := s.copies()[:1].draws()
	if s.norm != nil {
		draws = append(draws, within("norm", Draws(s.norm))...)
	}
	for i := 1; i < s.count; i++ {
		for _, p := range s.layer.Parameters() {
			draws = append(draws, graph.Draw{Name: fmt.Sprintf("layers.%d.%s", i, p.Name), From: "layers.0." + p.Name})
		}
	}
	return draws
}

// call passes the first input through every layer, each with the other inputs.
func (s layerStack) call(scope *graph.Scope, in []*gorgonia.Node) ([]*gorgonia.Node, error) {
	x := in[0]
	for _, p := range s.copies() {
		var err error
		if x, err = p.call(scope, append([]*gorgonia.Node{x}, in[1:]...)...); err != nil {
			return nil, err
		}
	}
	if s.norm != nil {
		var err error
		if x, err = (part{"norm", s.norm}).call(scope, x); err != nil {
			return nil, err
		}
	}
	return []*gorgonia.Node{x}, nil
}

// mostLayers is more than any stack has: beyond it a number is a mistake.
const mostLayers = 1 << 16

func checkLayers(count int) error {
	if count < 1 || count > mostLayers {
		return &ops.ValueError{What: "num_layers", Got: fmt.Sprint(count), Want: fmt.Sprintf("1 to %d", mostLayers)}
	}
	return nil
}

func (s layerStack) check() error {
	if err := checkLayers(s.count); err != nil {
		return err
	}
	ps := s.copies()[:1]
	if s.norm != nil {
		ps = append(ps, part{"norm", s.norm})
	}
	return ps.check()
}

// repr is PyTorch's text: equal layers in one entry.
func (s layerStack) repr(class string) string {
	indent := func(text string) string { return strings.ReplaceAll(text, "\n", "\n  ") }
	var b strings.Builder
	name := "(0): "
	if s.count > 1 {
		name = fmt.Sprintf("(0-%d): %d x ", s.count-1, s.count)
	}
	b.WriteString(class + "(\n  (layers): ModuleList(\n    " + name + indent(indent(s.layer.String())) + "\n  )\n")
	if s.norm != nil {
		b.WriteString("  (norm): " + indent(s.norm.String()) + "\n")
	}
	return b.String() + ")"
}
