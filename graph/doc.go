// Package graph turns lazy expressions into Gorgonia programs and runs them.
//
// An [Expr] is a tensor that is not computed yet: an input, a parameter, or a [Function] (a model, a loss, an operation)
// of other expressions. Asking one for its value, or calling Backward, takes it through the pipeline:
//
//	key       what the expression is made of: functions, shapes, dtypes, modes, wanted gradients
//	build     a *gorgonia.ExprGraph of the operations of package ops
//	passes    a table of rewrites, the gradient (gorgonia.Backpropagate) being one of them
//	program   a TapeMachine over fixed memory
//
// Programs are cached by key, so the next step of a training loop only binds new inputs and runs. AEGIS_DUMP=pass prints
// the graph after a pass (AEGIS_DUMP=all after each).
package graph
