package ops

// Multiplying is a definition that multiplies matrices, or does what costs as much.
type Multiplying interface {
	Definition
	// MultiplyAdds is how often it multiplies and adds.
	MultiplyAdds(in, out []Operand) int
}

// MultiplyAdds is how often an operation multiplies and adds in its products; 0 for one that works element by element.
func MultiplyAdds(op *Op) int {
	if m, ok := op.Definition.(Multiplying); ok {
		return m.MultiplyAdds(op.In, op.Out)
	}
	return 0
}
