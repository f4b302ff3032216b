package spec

import (
	"encoding/json"
	"fmt"
	"math"
)

// Extent is an argument that is one int, a list of a few, or None: PyTorch's kernel_size. The zero value is None.
type Extent = Few[int]

// Factors is an argument that is one float, a list of a few, or None: PyTorch's scale_factor.
type Factors = Few[float64]

// Few is one value or a list of a few.
type Few[T int | float64] struct {
	count  int // of the list; one value has none
	single bool
	values [maxExtent]T
}

// maxExtent is how many values the longest such argument has: a padding of three dims, both sides.
const maxExtent = 6

// None is an entry that is Python's None.
const None = math.MinInt64

// ExtentOf makes an Extent.
func ExtentOf(values ...int) Extent { return FewOf(values...) }

// FewOf takes one value to stand for itself, and several for a list. More than six give what no [Few.Over] accepts.
func FewOf[T int | float64](values ...T) (e Few[T]) {
	if len(values) == 1 {
		e.single = true
	} else {
		e.count = len(values)
	}
	copy(e.values[:], values)
	return e
}

// Set says whether it is not None.
func (e Few[T]) Set() bool { return e.single || e.count > 0 }

// Over spreads the values over n places: one value over all, or a list of n. It is an error otherwise.
func (e Few[T]) Over(name string, n int) ([]T, error) {
	switch {
	case e.single:
		list := make([]T, n)
		for i := range list {
			list[i] = e.values[0]
		}
		return list, nil
	case e.count == n && n <= maxExtent:
		return append([]T{}, e.values[:n]...), nil
	case !e.Set():
		return nil, &ArgumentError{name, fmt.Sprintf("none, want one value or %d", n)}
	}
	return nil, &ArgumentError{name, fmt.Sprintf("%d values, want one or %d", e.count, n)}
}

// Spread is [Few.Over] where a list of one counts as one value, as it does for the kernels, strides and paddings of convolutions and
// pools.
func (e Few[T]) Spread(name string, n int) ([]T, error) {
	if e.count == 1 {
		e = FewOf(e.values[0])
	}
	return e.Over(name, n)
}

// MarshalJSON writes what was given.
func (e Few[T]) MarshalJSON() ([]byte, error) { return json.Marshal(e.PythonRepr()) }

// UnmarshalJSON reads one value, a list or null.
func (e *Few[T]) UnmarshalJSON(text []byte) error {
	*e = Few[T]{}
	var list []*T
	if err := json.Unmarshal(text, &list); err != nil {
		e.single = true
		return json.Unmarshal(text, &e.values[0])
	}
	if len(list) > maxExtent {
		return fmt.Errorf("%d values, want at most %d", len(list), maxExtent)
	}
	e.count = len(list)
	for i, v := range list {
		if e.values[i] = None; v != nil {
			e.values[i] = *v
		}
	}
	return nil
}

// PythonRepr is the value, a tuple, or None.
func (e Few[T]) PythonRepr() any {
	switch {
	case !e.Set():
		return nil
	case e.single:
		return entry(e.values[0])
	}
	list := make([]any, min(e.count, maxExtent))
	for i := range list {
		list[i] = entry(e.values[i])
	}
	return list
}

func entry[T int | float64](v T) any {
	if v == None {
		return nil
	}
	return v
}

// Tuple is the same as a list of n, as PyTorch keeps some arguments; what doesn't fit stays as it is.
func (e Few[T]) Tuple(n int) Few[T] {
	list, err := e.Over("", n)
	if err != nil {
		return e
	}
	e = Few[T]{count: n}
	copy(e.values[:], list)
	return e
}

// List gives the values: none of None, one of a single value.
func (e Few[T]) List() []T {
	n := min(e.count, maxExtent)
	if e.single {
		n = 1
	}
	return append([]T{}, e.values[:n]...)
}
