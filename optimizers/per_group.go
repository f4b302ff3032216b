package optimizers

import (
	"encoding/json"
	"fmt"

	"github.com/seed-70b75153/aegis/ops"
)

// perGroup is a number for each group, or one for all.
type perGroup []float64

func (p perGroup) at(group int) float64 {
	if len(p) == 1 {
		return p[0]
	}
	return p[group]
}

// fits wants as many numbers as there are groups.
func (p perGroup) fits(what string, o Optimizer) error {
	if groups := len(o.LearningRates()); len(p) != 1 && len(p) != groups {
		return &ops.ValueError{What: what, Got: fmt.Sprintf("%d numbers", len(p)), Want: fmt.Sprintf("1, or one for each of %d groups", groups)}
	}
	return nil
}

// MarshalJSON writes one number as such.
func (p perGroup) MarshalJSON() ([]byte, error) {
	if len(p) == 1 {
		return json.Marshal(p[0])
	}
	return json.Marshal([]float64(p))
}

// UnmarshalJSON reads a number or a list.
func (p *perGroup) UnmarshalJSON(text []byte) error {
	var one float64
	if json.Unmarshal(text, &one) == nil {
		*p = perGroup{one}
		return nil
	}
	return json.Unmarshal(text, (*[]float64)(p))
}
