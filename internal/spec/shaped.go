package spec

import "encoding/json"

// Shaped is an argument that is a tensor, kept in the state, of which the arguments hold the shape; or None.
type Shaped struct {
	set bool
	Sizes
}

// ShapeOf is a tensor of a shape.
func ShapeOf(shape ...int) Shaped {
	sizes, ok := SizesOf(shape...)
	return Shaped{set: ok, Sizes: sizes}
}

// Set says whether it is not None.
func (s Shaped) Set() bool { return s.set }

// MarshalJSON writes {"shape": […]}, or null.
func (s Shaped) MarshalJSON() ([]byte, error) {
	if !s.set {
		return []byte("null"), nil
	}
	return json.Marshal(map[string]Sizes{"shape": s.Sizes})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Shaped) UnmarshalJSON(text []byte) error {
	*s = Shaped{}
	var v *struct {
		Shape Sizes `json:"shape"`
	}
	if err := json.Unmarshal(text, &v); err != nil || v == nil {
		return err
	}
	*s = Shaped{set: true, Sizes: v.Shape}
	return nil
}

// PythonRepr is the shape, or None.
func (s Shaped) PythonRepr() any {
	if !s.set {
		return nil
	}
	return s.Sizes.PythonRepr()
}
