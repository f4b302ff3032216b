package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/ops"
)

// operation is one of the named functions of package ops with its settings.
type operation struct {
	kind operationKind
	a, b float64
	dim  int
	keep bool
}

type operationKind uint8

const (
	add operationKind = iota
	sub
	mul
	div
	addScalar
	mulScalar
	neg
	exp
	log
	abs
	sqrt
	square
	pow
	clamp
	sigmoid
	tanh
	relu
	softmax
	logSoftmax
	sum
	mean
	sumDim
	meanDim
	matMul
	toFloat32
	toFloat64
)

type nodes = []*gorgonia.Node

// operations build the nodes, one row a kind.
var operations = [...]func(o operation, in nodes) (*gorgonia.Node, error){
	add:        func(_ operation, in nodes) (*gorgonia.Node, error) { return ops.Add(in[0], in[1]) },
	sub:        func(_ operation, in nodes) (*gorgonia.Node, error) { return ops.Sub(in[0], in[1]) },
	mul:        func(_ operation, in nodes) (*gorgonia.Node, error) { return ops.Mul(in[0], in[1]) },
	div:        func(_ operation, in nodes) (*gorgonia.Node, error) { return ops.Div(in[0], in[1]) },
	addScalar:  func(o operation, in nodes) (*gorgonia.Node, error) { return ops.AddScalar(in[0], o.a) },
	mulScalar:  func(o operation, in nodes) (*gorgonia.Node, error) { return ops.MulScalar(in[0], o.a) },
	neg:        func(_ operation, in nodes) (*gorgonia.Node, error) { return ops.Neg(in[0]) },
	exp:        func(_ operation, in nodes) (*gorgonia.Node, error) { return ops.Exp(in[0]) },
	log:        func(_ operation, in nodes) (*gorgonia.Node, error) { return ops.Log(in[0]) },
	abs:        func(_ operation, in nodes) (*gorgonia.Node, error) { return ops.Abs(in[0]) },
	sqrt:       func(_ operation, in nodes) (*gorgonia.Node, error) { return ops.Sqrt(in[0]) },
	square:     func(_ operation, in nodes) (*gorgonia.Node, error) { return ops.Square(in[0]) },
	pow:        func(o operation, in nodes) (*gorgonia.Node, error) { return ops.Pow(in[0], o.a) },
	clamp:      func(o operation, in nodes) (*gorgonia.Node, error) { return ops.Clamp(in[0], o.a, o.b) },
	sigmoid:    func(_ operation, in nodes) (*gorgonia.Node, error) { return ops.Sigmoid(in[0]) },
	tanh:       func(_ operation, in nodes) (*gorgonia.Node, error) { return ops.Tanh(in[0]) },
	relu:       func(_ operation, in nodes) (*gorgonia.Node, error) { return ops.ReLU(in[0]) },
	softmax:    func(o operation, in nodes) (*gorgonia.Node, error) { return ops.Softmax(in[0], o.dim) },
	logSoftmax: func(o operation, in nodes) (*gorgonia.Node, error) { return ops.LogSoftmax(in[0], o.dim) },
	sum:        func(_ operation, in nodes) (*gorgonia.Node, error) { return ops.Sum(in[0]) },
	mean:       func(_ operation, in nodes) (*gorgonia.Node, error) { return ops.Mean(in[0]) },
	sumDim:     func(o operation, in nodes) (*gorgonia.Node, error) { return ops.SumDim(in[0], o.dim, o.keep) },
	meanDim:    func(o operation, in nodes) (*gorgonia.Node, error) { return ops.MeanDim(in[0], o.dim, o.keep) },
	matMul:     func(_ operation, in nodes) (*gorgonia.Node, error) { return ops.MatMul(in[0], in[1]) },
	toFloat32:  func(_ operation, in nodes) (*gorgonia.Node, error) { return ops.Cast(in[0], tensor.Float32) },
	toFloat64:  func(_ operation, in nodes) (*gorgonia.Node, error) { return ops.Cast(in[0], tensor.Float64) },
}

// Apply builds the operation's node.
func (o operation) Apply(_ *Scope, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	return operations[o.kind](o, in)
}

func (o operation) of(in ...*Expr) *Expr { return Call{Function: o}.Of(in...) }

// Add is e + x, broadcast.
func (e *Expr) Add(x *Expr) *Expr { return operation{kind: add}.of(e, x) }

// Sub is e - x, broadcast.
func (e *Expr) Sub(x *Expr) *Expr { return operation{kind: sub}.of(e, x) }

// Mul is e·x element by element, broadcast.
func (e *Expr) Mul(x *Expr) *Expr { return operation{kind: mul}.of(e, x) }

// Div is e / x element by element, broadcast.
func (e *Expr) Div(x *Expr) *Expr { return operation{kind: div}.of(e, x) }

// AddScalar is e + s.
func (e *Expr) AddScalar(s float64) *Expr { return operation{kind: addScalar, a: s}.of(e) }

// MulScalar is s·e.
func (e *Expr) MulScalar(s float64) *Expr { return operation{kind: mulScalar, a: s}.of(e) }

// Neg is -e.
func (e *Expr) Neg() *Expr { return operation{kind: neg}.of(e) }

// Exp is e to each element.
func (e *Expr) Exp() *Expr { return operation{kind: exp}.of(e) }

// Log is the natural logarithm of each element.
func (e *Expr) Log() *Expr { return operation{kind: log}.of(e) }

// Abs is the absolute value of each element.
func (e *Expr) Abs() *Expr { return operation{kind: abs}.of(e) }

// Sqrt is the square root of each element.
func (e *Expr) Sqrt() *Expr { return operation{kind: sqrt}.of(e) }

// Square is each element times itself.
func (e *Expr) Square() *Expr { return operation{kind: square}.of(e) }

// Pow is each element to the exponent.
func (e *Expr) Pow(exponent float64) *Expr { return operation{kind: pow, a: exponent}.of(e) }

// Clamp limits each element to [low, high].
func (e *Expr) Clamp(low, high float64) *Expr { return operation{kind: clamp, a: low, b: high}.of(e) }

// Sigmoid is 1 / (1 + exp(-x)) of each element.
func (e *Expr) Sigmoid() *Expr { return operation{kind: sigmoid}.of(e) }

// Tanh is the hyperbolic tangent of each element.
func (e *Expr) Tanh() *Expr { return operation{kind: tanh}.of(e) }

// ReLU is max(x, 0) of each element.
func (e *Expr) ReLU() *Expr { return operation{kind: relu}.of(e) }

// Softmax is exp(x) / Σ exp(x) along dim.
func (e *Expr) Softmax(dim int) *Expr { return operation{kind: softmax, dim: dim}.of(e) }

// LogSoftmax is log(softmax(x)) along dim.
func (e *Expr) LogSoftmax(dim int) *Expr { return operation{kind: logSoftmax, dim: dim}.of(e) }

// Sum is the sum of all elements.
func (e *Expr) Sum() *Expr { return operation{kind: sum}.of(e) }

// Mean is the mean of all elements.
func (e *Expr) Mean() *Expr { return operation{kind: mean}.of(e) }

// SumDim is the sum along dim, which is left out of the result unless keepdim.
func (e *Expr) SumDim(dim int, keepdim bool) *Expr {
	return operation{kind: sumDim, dim: dim, keep: keepdim}.of(e)
}

// MeanDim is the mean along dim, which is left out of the result unless keepdim.
func (e *Expr) MeanDim(dim int, keepdim bool) *Expr {
	return operation{kind: meanDim, dim: dim, keep: keepdim}.of(e)
}

// MatMul is the matrix product of (m, k) and (k, n).
func (e *Expr) MatMul(x *Expr) *Expr { return operation{kind: matMul}.of(e, x) }

// Float is the expression in float32.
func (e *Expr) Float() *Expr { return operation{kind: toFloat32}.of(e) }

// Double is the expression in float64.
func (e *Expr) Double() *Expr { return operation{kind: toFloat64}.of(e) }
