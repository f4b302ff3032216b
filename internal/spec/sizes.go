package spec

import (
	"encoding/json"
	"fmt"
)

// maxSizes is the highest rank that Sizes holds.
const maxSizes = 8

// Sizes is a list of sizes in a comparable value.
type Sizes struct {
	count int
	sizes [maxSizes]int
}

// SizesOf makes Sizes of a list; ok is false where it is too long.
func SizesOf(list ...int) (s Sizes, ok bool) {
	if len(list) > maxSizes {
		return Sizes{}, false
	}
	s.count = copy(s.sizes[:], list)
	return s, true
}

// List gives the sizes.
func (s Sizes) List() []int { return append([]int{}, s.sizes[:s.count]...) }

// MarshalJSON writes a list.
func (s Sizes) MarshalJSON() ([]byte, error) { return json.Marshal(s.List()) }

// UnmarshalJSON reads a list, or one size.
func (s *Sizes) UnmarshalJSON(text []byte) error {
	var list []int
	if err := json.Unmarshal(text, &list); err != nil {
		var one int
		if json.Unmarshal(text, &one) != nil {
			return err
		}
		list = []int{one}
	}
	sizes, ok := SizesOf(list...)
	if !ok {
		return fmt.Errorf("%d sizes, want at most %d", len(list), maxSizes)
	}
	*s = sizes
	return nil
}

// PythonRepr is Python's tuple.
func (s Sizes) PythonRepr() any { return s.List() }
