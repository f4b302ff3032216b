//go:build gpu

package cuda

// #include <stdlib.h>
import "C"

import (
	"fmt"
	"strings"
	"sync"
	"unsafe"
)

// nvrtc is the compiler of kernels.
type nvrtc struct {
	*library
	version string
}

var openNVRTC = sync.OnceValues(func() (*nvrtc, error) {
	l, err := wanted{
		name: "libnvrtc.so", variable: "AEGIS_NVRTC", versions: []string{".13", ".12", ".11.2"},
		functions: []string{
			"nvrtcVersion", "nvrtcCreateProgram", "nvrtcDestroyProgram", "nvrtcCompileProgram", "nvrtcGetProgramLogSize",
			"nvrtcGetProgramLog", "nvrtcGetCUBINSize", "nvrtcGetCUBIN", "nvrtcGetPTXSize", "nvrtcGetPTX",
		},
	}.open()
	if err != nil {
		return nil, err
	}
	n := &nvrtc{library: l}
	numbers := (*[2]C.int)(C.calloc(2, C.sizeof_int))
	defer C.free(unsafe.Pointer(numbers))
	if code := l.call("nvrtcVersion", uintptr(unsafe.Pointer(&numbers[0])), uintptr(unsafe.Pointer(&numbers[1]))); code != 0 {
		return nil, &CallError{Call: "nvrtcVersion", Code: code, Text: "NVRTC error"}
	}
	n.version = fmt.Sprintf("%d.%d", numbers[0], numbers[1])
	return n, nil
})

// CompileError is what NVRTC says against a kernel's text.
type CompileError struct{ Source, Log string }

func (e *CompileError) Error() string { return e.Source + ": NVRTC: " + strings.TrimSpace(e.Log) }

// Compile compiles a source for "sm_90" to a cubin, for "compute_75" to PTX. It needs NVRTC, but no GPU.
func Compile(s *Source, real Type, arch string) ([]byte, error) {
	n, err := openNVRTC()
	if err != nil {
		return nil, err
	}
	return n.compile(s.Name, s.text(real), options(arch))
}

// options are the compiler's. Products and sums are fused to one rounding, as in PyTorch's kernels.
func options(arch string) []string {
	return []string{"--gpu-architecture=" + arch, "--std=c++17", "--fmad=true"}
}

func (n *nvrtc) compile(name, text string, options []string) (code []byte, err error) {
	cname, ctext := C.CString(name), C.CString(text)
	defer C.free(unsafe.Pointer(cname))
	defer C.free(unsafe.Pointer(ctext))
	program := (*uintptr)(C.calloc(1, C.size_t(unsafe.Sizeof(uintptr(0)))))
	defer C.free(unsafe.Pointer(program))
	at := uintptr(unsafe.Pointer(program))
	if code := n.call("nvrtcCreateProgram", at, uintptr(unsafe.Pointer(ctext)), uintptr(unsafe.Pointer(cname)), 0, 0, 0); code != 0 {
		return nil, &CallError{Call: "nvrtcCreateProgram", Code: code, Text: "NVRTC error"}
	}
	defer n.call("nvrtcDestroyProgram", at)
	list := unsafe.Slice((**C.char)(C.calloc(C.size_t(len(options)), C.size_t(unsafe.Sizeof(at)))), len(options))
	defer C.free(unsafe.Pointer(&list[0]))
	for i, o := range options {
		list[i] = C.CString(o)
		defer C.free(unsafe.Pointer(list[i]))
	}
	const invalidOption = 5 // an architecture that it doesn't know
	switch code := n.call("nvrtcCompileProgram", *program, uintptr(len(options)), uintptr(unsafe.Pointer(&list[0]))); code {
	case 0:
	case invalidOption:
		return nil, &CallError{Call: "nvrtcCompileProgram " + options[0], Code: code, Text: "invalid option"}
	default:
		log, err := n.read(*program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog")
		if err != nil {
			return nil, err
		}
		return nil, &CompileError{Source: name, Log: strings.TrimRight(string(log), "\x00")}
	}
	if strings.Contains(options[0], "compute_") {
		return n.read(*program, "nvrtcGetPTXSize", "nvrtcGetPTX")
	}
	return n.read(*program, "nvrtcGetCUBINSize", "nvrtcGetCUBIN")
}

// read gets one of the program's texts: its size, then itself.
func (n *nvrtc) read(program uintptr, size, get string) ([]byte, error) {
	bytes := (*C.size_t)(C.calloc(1, C.sizeof_size_t))
	defer C.free(unsafe.Pointer(bytes))
	if code := n.call(size, program, uintptr(unsafe.Pointer(bytes))); code != 0 {
		return nil, &CallError{Call: size, Code: code, Text: "NVRTC error"}
	}
	buffer := C.calloc(max(*bytes, 1), 1)
	defer C.free(buffer)
	if code := n.call(get, program, uintptr(buffer)); code != 0 {
		return nil, &CallError{Call: get, Code: code, Text: "NVRTC error"}
	}
	return C.GoBytes(buffer, C.int(*bytes)), nil
}
