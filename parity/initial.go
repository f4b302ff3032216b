package parity

import (
	"encoding/json"
	"fmt"
	"strings"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/initializers"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

// arguments reads plain numbers and words out of a call.
type arguments map[string]json.RawMessage

func (a arguments) float(name string, fallback float64) float64 {
	_ = json.Unmarshal(a[name], &fallback)
	return fallback
}

func (a arguments) int(name string, fallback int64) int64 {
	_ = json.Unmarshal(a[name], &fallback)
	return fallback
}

func (a arguments) word(name, fallback string) string {
	_ = json.Unmarshal(a[name], &fallback)
	return fallback
}

func kaiming(uniform bool) func(a arguments) graph.Initializer {
	return func(a arguments) graph.Initializer {
		return initializers.Kaiming{
			Uniform: uniform, A: a.float("a", 0),
			Mode: initializers.Mode(a.word("mode", "fan_in")), Nonlinearity: a.word("nonlinearity", "leaky_relu"),
		}
	}
}

func xavier(uniform bool) func(a arguments) graph.Initializer {
	return func(a arguments) graph.Initializer {
		return initializers.Xavier{Uniform: uniform, Gain: a.float("gain", 1)}
	}
}

// initializersByName are torch.nn.init's functions.
var initializersByName = map[string]func(a arguments) graph.Initializer{
	"uniform_": func(a arguments) graph.Initializer {
		return initializers.Uniform{A: a.float("a", 0), B: a.float("b", 1)}
	},
	"normal_": func(a arguments) graph.Initializer {
		return initializers.Normal{Mean: a.float("mean", 0), Std: a.float("std", 1)}
	},
	"constant_": func(a arguments) graph.Initializer { return initializers.Constant{Value: a.float("val", 0)} },
	"ones_":     func(arguments) graph.Initializer { return initializers.Constant{Value: 1} },
	"zeros_":    func(arguments) graph.Initializer { return initializers.Constant{} },
	"eye_":      func(arguments) graph.Initializer { return initializers.Eye{} },
	"trunc_normal_": func(a arguments) graph.Initializer {
		return initializers.TruncNormal{Mean: a.float("mean", 0), Std: a.float("std", 1), A: a.float("a", -2), B: a.float("b", 2)}
	},
	"orthogonal_": func(a arguments) graph.Initializer { return initializers.Orthogonal{Gain: a.float("gain", 1)} },
	"sparse_": func(a arguments) graph.Initializer {
		return initializers.Sparse{Sparsity: a.float("sparsity", 0), Std: a.float("std", 0.01)}
	},
	"dirac_":           func(a arguments) graph.Initializer { return initializers.Dirac{Groups: int(a.int("groups", 1))} },
	"kaiming_uniform_": kaiming(true), "kaiming_normal_": kaiming(false),
	"xavier_uniform_": xavier(true), "xavier_normal_": xavier(false),
}

func replayInit(r *Record) error {
	if r.Spec.Init == nil || r.Spec.Seed == nil {
		return &SpecError{r.Path, "no init or no seed"}
	}
	make, ok := initializersByName[r.Spec.Init.Name]
	if !ok {
		return &UnsupportedError{"init " + r.Spec.Init.Name}
	}
	want, err := r.tensor("param")
	if err != nil {
		return err
	}
	shaped, err := want.Array()
	if err != nil {
		return err
	}
	a := ops.NewArray(ops.Operand{Shape: shaped.Shape, DType: shaped.DType})
	if err := make(arguments(r.Spec.Init.Args)).Init(random.New(*r.Spec.Seed), &a); err != nil {
		return fmt.Errorf("%s: %w", r.Spec.Init.Name, err)
	}
	if exact(r.Spec.Init.Name, a.DType) {
		return r.identical("param", graph.FromArray(a))
	}
	return r.same("param", graph.FromArray(a))
}

// exact says whether an initialiser's numbers are the same on every machine that runs PyTorch: those of LAPACK are not, nor
// those of the C library's logarithm and sine, which normal numbers take in float64.
func exact(name string, dtype tensor.Dtype) bool {
	normal := strings.Contains(name, "normal") || name == "sparse_"
	return name != "orthogonal_" && !(normal && dtype == tensor.Float64)
}
