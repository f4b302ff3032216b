//go:build gpu

package cuda

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Type is the type of an array's elements.
type Type uint8

// The types, by the names that PyTorch gives them.
const (
	Float32 Type = iota
	Float64
	Int64
	Bool
)

var types = [...]struct {
	name, c string
	bytes   int
}{
	Float32: {"float32", "float", 4}, Float64: {"float64", "double", 8}, Int64: {"int64", "long long", 8}, Bool: {"bool", "bool", 1},
}

// Bytes is the size of an element.
func (t Type) Bytes() int { return types[t].bytes }

func (t Type) String() string { return types[t].name }

//go:embed prelude.cu
var prelude string

// Source is CUDA C text that is compiled as a module of its own, once for each type that T is to be: float, double, and for
// what only moves elements also long long and bool. The text of prelude.cu stands before it.
type Source struct {
	Name string
	Text string

	moves bool
}

var (
	registering sync.Mutex
	sources     []*Source
)

// NewSource makes a source known, by a name of its own. Made at start, it is among [Sources], which the tests compile.
func NewSource(name, text string) *Source {
	registering.Lock()
	defer registering.Unlock()
	s := &Source{Name: name, Text: text}
	sources = append(sources, s)
	return s
}

// Moves says that the source's kernels are for integers and bools too, and gives the source back.
func (s *Source) Moves() *Source {
	s.moves = true
	return s
}

// Types are those that T is to be.
func (s *Source) Types() []Type {
	if s.moves {
		return []Type{Float32, Float64, Int64, Bool}
	}
	return []Type{Float32, Float64}
}

// Sources are all that were made, by name.
func Sources() []*Source {
	registering.Lock()
	defer registering.Unlock()
	all := slices.Clone(sources)
	slices.SortFunc(all, func(a, b *Source) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Kernel names one of the source's kernels, T being float or double.
func (s *Source) Kernel(name string, real Type) Kernel {
	return Kernel{source: s, name: name, real: real}
}

func (s *Source) text(real Type) string {
	double := 0
	if real == Float64 {
		double = 1
	}
	return fmt.Sprintf("typedef %s T;\n#define DOUBLE %d\n%s\n#line 1 \"%s.cu\"\n%s", types[real].c, double, prelude, s.Name, s.Text)
}

// Kernel is a function that is launched: extern "C" __global__ in its source.
type Kernel struct {
	source *Source
	name   string
	real   Type
}

func (k Kernel) String() string { return fmt.Sprintf("%s.%s[%v]", k.source.Name, k.name, k.real) }
