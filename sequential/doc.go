// Package sequential holds the model: layers one after the other, with their parameters in one flat memory, named as
// PyTorch names them.
//
//	model := sequential.New(layers.Linear(3, 8), layers.ReLU(), layers.Linear(8, 2))
//	prediction := model.Forward(x)
package sequential
