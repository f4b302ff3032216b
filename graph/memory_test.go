package graph

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/ops"
)

func cell(n int) *ops.Array {
	return &ops.Array{Len: n, DType: tensor.Float32, Shape: []int{n}}
}

// A chain of four steps needs two blocks: a step never writes where it reads.
func TestPlaceReusesWhatNobodyReadsAnyMore(t *testing.T) {
	a, b, c, d := cell(8), cell(8), cell(8), cell(8)
	steps := []step{{out: []*ops.Array{a}}, {in: []*ops.Array{a}, out: []*ops.Array{b}}, {in: []*ops.Array{b}, out: []*ops.Array{c}}, {in: []*ops.Array{c}, out: []*ops.Array{d}}}
	require.Equal(t, 2, place(steps, nil, nil))
	require.Equal(t, a.Data, c.Data)
	require.NotEqual(t, a.Data, b.Data)
}

func TestPlaceKeepsWhatIsAskedFor(t *testing.T) {
	a, b, c, d := cell(8), cell(8), cell(8), cell(100)
	steps := []step{{out: []*ops.Array{a}}, {in: []*ops.Array{a}, out: []*ops.Array{b}}, {in: []*ops.Array{b}, out: []*ops.Array{c}}, {in: []*ops.Array{c}, out: []*ops.Array{d}}}
	require.Equal(t, 3, place(steps, map[*ops.Array]bool{a: true, d: true}, map[*ops.Array]bool{d: true}))
	require.NotEqual(t, a.Data, c.Data, "a is kept")
	require.Nil(t, d.Data, "d is aimed at each run")
}

// Values of a deep network of which only the last is asked for, against the same with all asked for.
func TestPlacedMemoryGivesTheSameNumbers(t *testing.T) {
	w := weight(t, "w", 6, 6)
	x := floats(4, 6)
	e := x
	for range 12 {
		e = Apply(linearReLU{twice: true}, e, w.Expr()).Tanh()
	}
	last, err := e.Floats()
	require.NoError(t, err)
	step := x
	for range 12 {
		step = Apply(linearReLU{twice: true}, step, w.Expr()).Tanh()
		_, err := step.Value() // one program a layer
		require.NoError(t, err)
	}
	one, err := step.Floats()
	require.NoError(t, err)
	require.Equal(t, one, last)
}
