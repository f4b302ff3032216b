//go:build gpu

package cuda

// #include <stdlib.h>
// #include "core.h"
import "C"

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"unsafe"
)

// blas is cuBLAS with the device's stream, and cuBLASLt where it is there too.
type blas struct {
	table     *C.aegis_blas
	workspace *Memory
	ltErr     error // why there is no cuBLASLt
}

// workspaceBytes is what cuBLAS works in: given once, so that a captured graph allocates nothing and bits repeat.
const workspaceBytes = 32 << 20

// pointer is what C takes, NULL where there is no cuBLAS.
func (b *blas) pointer() *C.aegis_blas {
	if b == nil {
		return nil
	}
	return b.table
}

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
	b := &blas{table: newBLASTable()}
	if b.workspace, err = g.Allocate(workspaceBytes); err != nil {
		return nil, err
	}
	b.table.workspace, b.table.workspaceBytes = C.uint64_t(b.workspace.address), workspaceBytes
	if err := l.try("cublasCreate_v2", uintptr(unsafe.Pointer(&b.table.handle))); err != nil {
		return nil, err
	}
	handle := uintptr(b.table.handle)
	if err := errors.Join(
		l.try("cublasSetStream_v2", handle, uintptr(g.streamPointer())),
		l.try("cublasSetWorkspace_v2", handle, uintptr(b.workspace.address), workspaceBytes),
	); err != nil {
		return nil, err
	}
	b.table.mode = -1 // not set yet
	for name, field := range map[string]unsafe.Pointer{
		"cublasSetMathMode": unsafe.Pointer(&b.table.setMode), "cublasSgemm_v2": unsafe.Pointer(&b.table.single), "cublasDgemm_v2": unsafe.Pointer(&b.table.wide),
	} {
		*(*unsafe.Pointer)(field) = l.functions[name]
	}
	b.ltErr = b.openLt(l.path)
	return b, nil
}

func newBLASTable() *C.aegis_blas { return (*C.aegis_blas)(C.calloc(1, C.sizeof_aegis_blas)) }

// openLt opens the cuBLASLt that belongs to a cuBLAS, which uses it itself. AEGIS_CUBLASLT=off does without.
func (b *blas) openLt(path string) error {
	const name = "libcublasLt.so"
	if os.Getenv("AEGIS_CUBLASLT") == "off" {
		return &LibraryError{Name: name, Tried: []string{"AEGIS_CUBLASLT=off"}}
	}
	t := b.table
	fields := map[string]unsafe.Pointer{
		"cublasLtMatmul": unsafe.Pointer(&t.matmul), "cublasLtMatmulDescCreate": unsafe.Pointer(&t.describe),
		"cublasLtMatmulDescSetAttribute": unsafe.Pointer(&t.set), "cublasLtMatrixLayoutCreate": unsafe.Pointer(&t.layout),
		"cublasLtMatmulPreferenceCreate": unsafe.Pointer(&t.prefer), "cublasLtMatmulPreferenceSetAttribute": unsafe.Pointer(&t.setPreference),
		"cublasLtMatmulAlgoGetHeuristic": unsafe.Pointer(&t.find), "cublasLtMatmulAlgoConfigGetAttribute": unsafe.Pointer(&t.about),
		"cublasLtMatmulDescDestroy":   unsafe.Pointer(&t.forget[0]),
		"cublasLtMatrixLayoutDestroy": unsafe.Pointer(&t.forget[1]), "cublasLtMatmulPreferenceDestroy": unsafe.Pointer(&t.forget[2]),
	}
	functions := []string{"cublasLtCreate"}
	for f := range fields {
		functions = append(functions, f)
	}
	version := strings.TrimPrefix(filepath.Base(path), "libcublas.so")
	l, err := wanted{name: name, folder: filepath.Dir(path), versions: []string{version}, functions: functions}.open()
	if err != nil {
		return err
	}
	for f, field := range fields {
		*(*unsafe.Pointer)(field) = l.functions[f]
	}
	return l.try("cublasLtCreate", uintptr(unsafe.Pointer(&t.lt)))
}

// try calls a function of cuBLAS.
func (l *library) try(name string, args ...uintptr) error {
	if code := l.call(name, args...); code != 0 {
		return &CallError{Call: name, Code: code, Text: "cuBLAS error"}
	}
	return nil
}
