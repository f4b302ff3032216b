package safetensors

import (
	"errors"
	"fmt"
	"math/bits"
)

// dtypes are the format's dtypes in the reference implementation's order,
// which is the reverse of their tensors' order in a file it writes: wide ones
// come first, so that each tensor is aligned.
var dtypes = []struct {
	name string
	bits uint64
}{
	{"BOOL", 8},
	{"F4", 4},
	{"F6_E2M3", 6},
	{"F6_E3M2", 6},
	{"U8", 8},
	{"I8", 8},
	{"F8_E5M2", 8},
	{"F8_E4M3", 8},
	{"F8_E8M0", 8},
	{"F8_E4M3FNUZ", 8},
	{"F8_E5M2FNUZ", 8},
	{"I16", 16},
	{"U16", 16},
	{"F16", 16},
	{"BF16", 16},
	{"I32", 32},
	{"U32", 32},
	{"F32", 32},
	{"C64", 64},
	{"F64", 64},
	{"I64", 64},
	{"U64", 64},
}

// dtypeRank is the place of a dtype in dtypes, -1 if there is none of that name.
func dtypeRank(name string) int {
	for i := range dtypes {
		if dtypes[i].name == name {
			return i
		}
	}
	return -1
}

// errOverflow is the reason for refusing a shape whose size in bits does not
// fit 64 bits.
var errOverflow = errors.New("size overflows")

// byteSize returns the number of bytes of a tensor.
func byteSize(dtype string, shape []int) (uint64, error) {
	rank := dtypeRank(dtype)
	if rank < 0 {
		return 0, fmt.Errorf("unknown dtype %q", dtype)
	}
	n := uint64(1)
	for _, size := range shape {
		if size < 0 {
			return 0, fmt.Errorf("negative size in shape %v", shape)
		}
		var hi uint64
		if hi, n = bits.Mul64(n, uint64(size)); hi != 0 {
			return 0, fmt.Errorf("shape %v: %w", shape, errOverflow)
		}
	}
	hi, n := bits.Mul64(n, dtypes[rank].bits)
	if hi != 0 {
		return 0, fmt.Errorf("shape %v of %s: %w", shape, dtype, errOverflow)
	}
	if n%8 != 0 {
		return 0, fmt.Errorf("shape %v of %s does not fill whole bytes", shape, dtype)
	}
	return n / 8, nil
}

// check says whether the tensor's bytes fit its dtype and shape.
func (t *Tensor) check() error {
	size, err := byteSize(t.DType, t.Shape)
	if err == nil && size != uint64(len(t.Data)) {
		err = fmt.Errorf("%d bytes, want %d for shape %v of %s", len(t.Data), size, t.Shape, t.DType)
	}
	if err != nil {
		return &FormatError{Place: tensorPlace(t.Name), Err: err}
	}
	return nil
}
