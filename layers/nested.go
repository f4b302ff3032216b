package layers

import "encoding/json"

// nested is a layer as another's argument, or none.
type nested struct{ Layer }

// MarshalJSON writes the layer as a module, or null.
func (n nested) MarshalJSON() ([]byte, error) {
	if n.Layer == nil {
		return []byte("null"), nil
	}
	m, err := ToModule(n.Layer)
	if err != nil {
		return nil, err
	}
	return json.Marshal(m)
}

// UnmarshalJSON reads a module, or null.
func (n *nested) UnmarshalJSON(text []byte) error {
	*n = nested{}
	if string(text) == "null" {
		return nil
	}
	var m Module
	if err := json.Unmarshal(text, &m); err != nil {
		return err
	}
	var err error
	n.Layer, err = FromModule(m)
	return err
}
