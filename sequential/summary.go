package sequential

import (
	"fmt"
	"strings"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/ops"
)

// Summary is what a model's layers make of an input, and what that costs. It prints as a table.
type Summary struct {
	Rows []SummaryRow // a container before its layers
	// Parameters are all values in the parameters, Trainable those that are not frozen.
	Parameters, Trainable int
	// MultiplyAdds are those of products, of matrices and convolutions; element-wise work doesn't count.
	MultiplyAdds int
}

// SummaryRow is a layer.
type SummaryRow struct {
	Path   string // "1.0"
	Layer  string // "Linear(3, 8)"
	Output [][]int
	// Parameters and MultiplyAdds are of the layer and of the layers within it.
	Parameters, MultiplyAdds int
}

// Summary tells the output shapes, the parameters and the multiply-adds of every layer for inputs as [Model.Call] takes them.
// It is of evaluation mode, and computes nothing.
func (m *Model) Summary(inputs ...graph.Argument) (*Summary, error) {
	if m.err != nil {
		return nil, m.err
	}
	traced, err := graph.Trace(m.PredictAll(inputs...)[0])
	if err != nil {
		return nil, err
	}
	byPath := map[string]graph.Traced{}
	for _, t := range traced {
		byPath[t.Path] = t
	}
	s := &Summary{Parameters: m.NumParameters(), Trainable: m.NumTrainable()}
	_, s.MultiplyAdds = s.add(m.root(), byPath)
	return s, nil
}

// SummaryOf is [Model.Summary] for one input of a shape, of the model's dtype.
func (m *Model) SummaryOf(shape ...int) (*Summary, error) {
	for _, d := range shape {
		if d < 0 {
			return nil, &ops.ShapeError{What: "input", Got: shape, Note: "sizes of 0 or more"}
		}
	}
	return m.Summary(graph.FromArray(ops.NewArray(ops.Operand{Shape: tensor.Shape(shape), DType: m.DType()})))
}

// add makes the rows of a container's layers, and gives the last one's outputs and the sum of the multiply-adds.
func (s *Summary) add(e Entry, traced map[string]graph.Traced) (output [][]int, multiplyAdds int) {
	container, err := e.container()
	if err != nil {
		return nil, 0
	}
	for i := range container.Len() {
		inner := e.within(container, i)
		at := len(s.Rows)
		s.Rows = append(s.Rows, SummaryRow{}) // before the rows within
		row := SummaryRow{Path: inner.path, Parameters: inner.NumParameters()}
		if _, nested := inner.layer.(layers.SequentialLayer); nested {
			row.Layer = "Sequential"
			row.Output, row.MultiplyAdds = s.add(inner, traced)
		} else {
			t := traced[inner.path]
			row.Layer, row.MultiplyAdds = layers.Short(inner.layer), t.MultiplyAdds
			for _, o := range t.Out {
				row.Output = append(row.Output, o.Shape)
			}
		}
		s.Rows[at] = row
		output, multiplyAdds = row.Output, multiplyAdds+row.MultiplyAdds
	}
	return output, multiplyAdds
}

// String is the table.
func (s *Summary) String() string {
	cells := [][]string{{"layer", "output", "parameters", "multiply-adds"}}
	for _, r := range s.Rows {
		var shapes []string
		for _, shape := range r.Output {
			shapes = append(shapes, ops.ShapeString(shape))
		}
		depth := strings.Count(r.Path, ".")
		cells = append(cells, []string{
			strings.Repeat("  ", depth) + r.Path[strings.LastIndex(r.Path, ".")+1:] + ": " + r.Layer, strings.Join(shapes, ", "), grouped(r.Parameters), grouped(r.MultiplyAdds),
		})
	}
	cells = append(cells, []string{"all", "", grouped(s.Parameters), grouped(s.MultiplyAdds)})
	widths := make([]int, len(cells[0]))
	for _, row := range cells {
		for i, text := range row {
			widths[i] = max(widths[i], len([]rune(text)))
		}
	}
	var b strings.Builder
	for i, row := range cells {
		line := fmt.Sprintf("%-*s  %-*s  %*s  %*s", widths[0], row[0], widths[1], row[1], widths[2], row[2], widths[3], row[3])
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		if i == 0 || i == len(cells)-2 {
			b.WriteString(strings.Repeat("-", widths[0]+widths[1]+widths[2]+widths[3]+6) + "\n")
		}
	}
	if frozen := s.Parameters - s.Trainable; frozen > 0 {
		fmt.Fprintf(&b, "%s parameters are frozen\n", grouped(frozen))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// grouped writes a count with its thousands apart, and nothing for 0.
func grouped(n int) string {
	if n == 0 {
		return "-"
	}
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
