// Package format prints tensors and values as PyTorch and Python print them.
//
// Tensor follows torch/_tensor_str.py of PyTorch 2.15
// (https://docs.pytorch.org/docs/2.15/generated/torch.set_printoptions.html),
// Float, String and Value follow Python's repr. All functions are pure and
// safe for concurrent use.
package format
