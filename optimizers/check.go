package optimizers

import (
	"fmt"
	"math"

	"github.com/seed-70b75153/aegis/ops"
)

func firstError(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

// atLeast wants a number of low or more; NaN and infinity are none.
func atLeast(what string, v, low float64) error {
	if v >= low && !math.IsInf(v, 1) {
		return nil
	}
	return &ops.ValueError{What: what, Got: fmt.Sprint(v), Want: fmt.Sprintf("a number of %v or more", low)}
}

// above wants a number of more than low; NaN and infinity are none.
func above(what string, v, low float64) error {
	if v > low && !math.IsInf(v, 1) {
		return nil
	}
	return &ops.ValueError{What: what, Got: fmt.Sprint(v), Want: fmt.Sprintf("a number above %v", low)}
}

func finite(what string, v float64) error { return atLeast(what, v, -math.MaxFloat64) }

// share wants a number from 0 to 1, 1 excluded.
func share(what string, v float64) error {
	if v >= 0 && v < 1 {
		return nil
	}
	return &ops.ValueError{What: what, Got: fmt.Sprint(v), Want: "0 or more and below 1"}
}
