package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/seed-70b75153/aegis/ops"
)

type narrow struct{ dim, start, length int }

func (f narrow) Apply(_ *Scope, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Narrow(in[0], f.dim, f.start, f.length)
}

// Narrow is the part of the elements from start on, length long, along dim: torch.narrow, or x[:, 2:5] in Python.
func (e *Expr) Narrow(dim, start, length int) *Expr {
	return Call{Function: narrow{dim, start, length}}.Of(e)
}

type selected struct{ dim, index int }

func (f selected) Apply(_ *Scope, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Select(in[0], f.dim, f.index)
}

// Select is the elements at one index along dim, the dim left out: torch.select, or x[:, -1] in Python.
func (e *Expr) Select(dim, index int) *Expr { return Call{Function: selected{dim, index}}.Of(e) }

type transposed struct{ a, b int }

func (f transposed) Apply(_ *Scope, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Transpose(in[0], f.a, f.b)
}

// Transpose swaps two dims.
func (e *Expr) Transpose(a, b int) *Expr { return Call{Function: transposed{a, b}}.Of(e) }

type concat struct{ dim int }

func (f concat) Apply(_ *Scope, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Concat(f.dim, in...)
}

// Concat joins expressions along dim, in which alone their shapes may differ: torch.cat.
func Concat(dim int, parts ...*Expr) *Expr { return Call{Function: concat{dim}}.Of(parts...) }

type stack struct{}

func (stack) Apply(_ *Scope, in ...*gorgonia.Node) (*gorgonia.Node, error) { return ops.Stack(in...) }

// Stack joins expressions of one shape along a new first dim: torch.stack.
func Stack(parts ...*Expr) *Expr { return Call{Function: stack{}}.Of(parts...) }
