package cuda

import (
	"fmt"
	"sync/atomic"
)

// Device is a GPU by its number, which the driver gives: model.To(cuda.Device(0)).
type Device int

// String is PyTorch's name of the device: "cuda:0".
func (d Device) String() string { return fmt.Sprintf("cuda:%d", int(d)) }

// UnavailableError says why no GPU can be used.
type UnavailableError struct{ Why string }

func (e *UnavailableError) Error() string { return "no CUDA device: " + e.Why }

var tf32 atomic.Bool

// SetTF32 allows products of float32 to be made of their first 10 bits after the point, by the tensor cores of cards that have
// them: torch.backends.cuda.matmul.allow_tf32. By default they are not.
func SetTF32(on bool) { tf32.Store(on) }

// TF32 says whether products of float32 may be.
func TF32() bool { return tf32.Load() }
