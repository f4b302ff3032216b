package cuda

import "fmt"

// Device is a GPU by its number, which the driver gives: model.To(cuda.Device(0)).
type Device int

// String is PyTorch's name of the device: "cuda:0".
func (d Device) String() string { return fmt.Sprintf("cuda:%d", int(d)) }

// UnavailableError says why no GPU can be used.
type UnavailableError struct{ Why string }

func (e *UnavailableError) Error() string { return "no CUDA device: " + e.Why }
