package fit

import (
	"encoding/json"
	"os"
)

// Curve is what an example's twin in PyTorch recorded.
type Curve struct {
	Losses     []float64
	Validation []float64
	Accuracy   float64 `json:"test_accuracy"`
	Error      float64 `json:"test_error"`
	Verses     string
}

// ReadCurve reads a recorded curve in a test.
func ReadCurve(t interface {
	Helper()
	Fatal(args ...any)
}, path string) Curve {
	t.Helper()
	var c Curve
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}
