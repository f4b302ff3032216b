//go:build gpu

package cuda

// #include <stdlib.h>
// #include "core.h"
import "C"

import (
	"os"
	"unsafe"
)

// blas is cuBLAS with the device's stream. Its products are full float32 unless the process is told otherwise.
type blas struct {
	*library
	table     *C.aegis_blas
	workspace *Memory
}

// workspaceBytes is what cuBLAS works in: given once, so that a captured graph allocates nothing and bits repeat.
const workspaceBytes = 32 << 20

// openBLAS opens cuBLAS; without it products are made by a kernel of our own. AEGIS_CUBLAS=off wants that one.
func openBLAS(g *GPU) (*blas, error) {
	if os.Getenv("AEGIS_CUBLAS") == "off" {
		return nil, &LibraryError{Name: "libcublas.so", Tried: []string{"AEGIS_CUBLAS=off"}}
	}
	l, err := wanted{
		name: "libcublas.so", variable: "AEGIS_CUBLAS", versions: []string{".13", ".12", ".11"},
		functions: []string{"cublasCreate_v2", "cublasSetStream_v2", "cublasSetWorkspace_v2", "cublasSetMathMode", "cublasSgemm_v2", "cublasDgemm_v2"},
	}.open()
	if err != nil {
		return nil, err
	}
	b := &blas{library: l, table: (*C.aegis_blas)(C.calloc(1, C.sizeof_aegis_blas))}
	if b.workspace, err = g.Allocate(workspaceBytes); err != nil {
		return nil, err
	}
	for _, call := range []struct {
		name string
		args []uintptr
	}{
		{"cublasCreate_v2", []uintptr{uintptr(unsafe.Pointer(&b.table.handle))}},
		{"cublasSetStream_v2", []uintptr{0, uintptr(g.streamPointer())}},
		{"cublasSetWorkspace_v2", []uintptr{0, uintptr(b.workspace.address), workspaceBytes}},
		{"cublasSetMathMode", []uintptr{0, 0}},
	} {
		if b.table.handle != nil {
			call.args[0] = uintptr(b.table.handle)
		}
		if code := l.call(call.name, call.args...); code != 0 {
			return nil, &CallError{Call: call.name, Code: code, Text: "cuBLAS error"}
		}
	}
	// The table's fields have C function types.
	*(*unsafe.Pointer)(unsafe.Pointer(&b.table.single)) = l.functions["cublasSgemm_v2"]
	*(*unsafe.Pointer)(unsafe.Pointer(&b.table.wide)) = l.functions["cublasDgemm_v2"]
	return b, nil
}
