package spec

import "encoding/json"

// Padding is an argument that is an [Extent] or a word: PyTorch's padding='same'.
type Padding struct {
	Word string
	Extent
}

// MarshalJSON writes what was given.
func (p Padding) MarshalJSON() ([]byte, error) { return json.Marshal(p.PythonRepr()) }

// UnmarshalJSON reads a word or an Extent.
func (p *Padding) UnmarshalJSON(text []byte) error {
	*p = Padding{}
	if len(text) > 0 && text[0] == '"' {
		return json.Unmarshal(text, &p.Word)
	}
	return p.Extent.UnmarshalJSON(text)
}

// PythonRepr is the word or the Extent.
func (p Padding) PythonRepr() any {
	if p.Word != "" {
		return p.Word
	}
	return p.Extent.PythonRepr()
}
