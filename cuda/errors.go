//go:build gpu

package cuda

// #include "core.h"
import "C"

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// CallError says which call of the driver, of NVRTC or of cuBLAS failed, and how: "cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY (2)".
type CallError struct {
	Call string
	Code int
	Text string
}

func (e *CallError) Error() string { return fmt.Sprintf("%s: %s (%d)", e.Call, e.Text, e.Code) }

// LostError says that a GPU can't be used any more: a kernel failed, or the card itself did. What lay in its memory is gone; the
// process goes on, without that GPU.
type LostError struct {
	Device Device
	Cause  error
	// Kernels are those that had been launched since the device was last waited for: one of them failed, if any did.
	Kernels []string
}

func (e *LostError) Error() string {
	text := fmt.Sprintf("%v is lost, and what lay in its memory: %v", e.Device, e.Cause)
	if len(e.Kernels) > 0 {
		text += "; launched since it was last waited for: " + strings.Join(e.Kernels, ", ") + "; AEGIS_CUDA_BLOCKING=1 finds the one that fails"
	}
	return text
}

func (e *LostError) Unwrap() error { return e.Cause }

// OutOfMemoryError says how much memory was wanted that the device doesn't have.
type OutOfMemoryError struct {
	Device Device
	Bytes  int
}

func (e *OutOfMemoryError) Error() string {
	return fmt.Sprintf("%v: out of memory: no %d bytes are free", e.Device, e.Bytes)
}

// outOfMemory is CUDA_ERROR_OUT_OF_MEMORY.
const outOfMemory = 2

// fatal are the driver's codes after which a context answers nothing else: a failed kernel, a failed card.
var fatal = map[int]bool{
	4: true, 46: true, 201: true, 214: true, 220: true, 226: true, 700: true, 702: true, 709: true, 710: true, 714: true, 715: true,
	716: true, 717: true, 718: true, 719: true, 999: true,
}

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

// answer is [answer], after which the GPU may be lost.
func (g *GPU) answer(call string, code int) error { return g.judge(answer(call, code)) }

// named is [named], likewise.
func (g *GPU) named(call string, err error) error {
	if err == nil {
		return nil
	}
	return g.judge(named(call, err))
}

// judge finds out whether an error means that the GPU is lost.
func (g *GPU) judge(err error) error {
	if err == nil {
		return nil // as nearly always: errors.As allocates
	}
	var e *CallError
	if !errors.As(err, &e) || !fatal[e.Code] {
		return err
	}
	if g.lost != nil {
		return g.lost
	}
	lost := &LostError{Device: g.number, Cause: err}
	if !blocking {
		lost.Kernels = g.queue.launched()
	}
	g.lost = lost
	return lost
}

func isOutOfMemory(err error) bool {
	var e *CallError
	return errors.As(err, &e) && e.Code == outOfMemory
}
