// Package layers holds the layers of a model, one a file. A layer is a plain, comparable value made by a function with
// PyTorch's positional arguments, and refined by setters that give a changed copy:
//
//	layers.Linear(8, 2).Bias(false)
//
// A layer has no numbers of its own: the model that it stands in keeps its parameters, so one value can stand in two
// models. A layer of your own is a type with the same three methods, see [Layer]; [Func] takes a Gorgonia graph in.
package layers
