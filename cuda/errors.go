//go:build gpu

package cuda

// #include "core.h"
import "C"

import (
	"errors"
	"fmt"
	"reflect"
)

// CallError says which call of the driver, of NVRTC or of cuBLAS failed, and how: "cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY (2)".
type CallError struct {
	Call string
	Code int
	Text string
}

func (e *CallError) Error() string { return fmt.Sprintf("%s: %s (%d)", e.Call, e.Text, e.Code) }

// outOfMemory is CUDA_ERROR_OUT_OF_MEMORY.
const outOfMemory = 2

// answer makes an error of what the driver answered to a call, nil of 0.
func answer(call string, code int) error {
	if code == 0 {
		return nil
	}
	text := C.aegis_error_name(C.int(code))
	if text == nil {
		return &CallError{Call: call, Code: code, Text: "unknown error"}
	}
	return &CallError{Call: call, Code: code, Text: C.GoString(text)}
}

// named is [answer] for a call that gorgonia.org/cu made: its errors are the driver's codes.
func named(call string, err error) error {
	if err == nil {
		return nil
	}
	if v := reflect.ValueOf(err); v.CanInt() {
		return answer(call, int(v.Int()))
	}
	return fmt.Errorf("%s: %w", call, err)
}

func isOutOfMemory(err error) bool {
	var e *CallError
	return errors.As(err, &e) && e.Code == outOfMemory
}
