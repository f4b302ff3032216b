// Package ops holds the differentiable operations on Gorgonia nodes: the torch.nn.functional of the project, whose names they carry.
//
// Every operation is one [Definition]: its attributes (a plain, comparable value), its shape rule, its gradient rule and
// its CPU call, all in one file. The functions of this package ([Linear], [Softmax], [CrossEntropy], …) apply one to nodes
// of any *gorgonia.ExprGraph, so they work in graphs of your own, on a stock TapeMachine, as well as below the layers:
//
//	y, err := ops.Linear(x, weight, bias) // x (*, in), weight (out, in), bias (out): (*, out)
//
// Shapes and dtypes are checked when an operation is applied; a mistake is a typed error ([ShapeError], [DTypeError],
// [DimError], [ValueError]). Class indices are data, so [IndexError] comes when the graph runs.
package ops
