// Package optimizers holds the update rules, one a file, learning-rate schedules and gradient clipping.
//
//	optimizer := optimizers.SGD(model.Parameters(), 0.01).Momentum(0.9)
//	…
//	err := optimizer.Step()
//	optimizer.ZeroGrad()
//
// A step is one pass over each run of parameters that lie side by side in memory, which for a model is one pass over all
// of them. A parameter without a gradient is left alone, as in PyTorch. An optimizer belongs to one goroutine.
package optimizers
