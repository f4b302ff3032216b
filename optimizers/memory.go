package optimizers

// memory is what a rule keeps for a parameter from step to step, in PyTorch's names.
type memory struct {
	counted bool        // PyTorch keeps "step"
	numbers []string    // one number a parameter, at most maxNumbers
	arrays  []keptArray // at most maxArrays
	inert   bool        // a gradient of 0 changes nothing
	alone   bool        // each parameter is updated for itself: its shape matters
}

const (
	maxNumbers = 2
	maxArrays  = 3
)

// keptArray is a tensor that is kept for a parameter.
type keptArray struct {
	name string
	// shape is the tensor's from the parameter's, nil where a parameter has none; without it they are the same.
	shape func(param []int) []int
}

func keeps(names ...string) memory {
	m := memory{counted: true}
	for _, name := range names {
		m.arrays = append(m.arrays, keptArray{name: name})
	}
	return m
}

func (m memory) uncounted() memory {
	m.counted = false
	return m
}

func (m memory) withNumbers(names ...string) memory {
	m.numbers = names
	return m
}

// single rounds a number as PyTorch does that it keeps for a parameter: in a float32 tensor.
func single(x float64) float64 { return float64(float32(x)) }
