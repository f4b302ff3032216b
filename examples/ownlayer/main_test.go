package main

// The numbers are those that PyTorch prints for the same model.
func Example() {
	main()
	// Output:
	// Sequential(
	//   (0): Scale(features=3)
	//   (1): Linear(in_features=3, out_features=2, bias=True)
	// )
	// tensor(0.6102, grad_fn=<NllLossBackward0>)
	// tensor(0.4422, grad_fn=<NllLossBackward0>)
	// tensor(0.2241, grad_fn=<NllLossBackward0>)
	// tensor([1.1002, 1.1531, 0.8623])
	// tensor([[ 2.1022, -0.2102],
	//         [-1.1040,  0.2639]])
	// tensor([ 3., 12.])
}
