package spec

import "encoding/json"

// Optional is an argument that may be Python's None.
type Optional[T comparable] struct {
	Set   bool
	Value T
}

// Some is an argument that is there.
func Some[T comparable](v T) Optional[T] { return Optional[T]{Set: true, Value: v} }

// MarshalJSON writes null for None.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if !o.Set {
		return []byte("null"), nil
	}
	return json.Marshal(o.Value)
}

// UnmarshalJSON reads null as None.
func (o *Optional[T]) UnmarshalJSON(text []byte) error {
	*o = Optional[T]{}
	if string(text) == "null" {
		return nil
	}
	o.Set = true
	return json.Unmarshal(text, &o.Value)
}

// PythonRepr is the value, or None.
func (o Optional[T]) PythonRepr() any {
	if !o.Set {
		return nil
	}
	return o.Value
}
