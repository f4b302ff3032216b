//go:build gpu

package cuda

// #include <stdlib.h>
// #include "core.h"
import "C"

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"unsafe"
)

// library is a shared library opened at run time, and its functions by name.
type library struct {
	path      string
	functions map[string]unsafe.Pointer
}

// LibraryError says that a library isn't there, and where it was looked for.
type LibraryError struct {
	Name  string
	Tried []string
}

func (e *LibraryError) Error() string {
	return fmt.Sprintf("%s was not found; tried %s", e.Name, strings.Join(e.Tried, "; "))
}

// wanted is a library with the names of its versions, newest first, the variable that names it, and what is called of it.
type wanted struct {
	name      string
	variable  string
	folder    string // looked into first, where there is no variable
	versions  []string
	functions []string
}

// open looks where the variable says and nowhere else; without one among the linker's libraries, in the toolkit's folder, in
// the Python environment's packages and in what cuda/setup fetched.
func (w wanted) open() (*library, error) {
	failed := &LibraryError{Name: w.name}
	for _, path := range w.candidates() {
		text := C.CString(path)
		var why *C.char
		handle := C.aegis_open(text, &why)
		C.free(unsafe.Pointer(text))
		if handle == nil {
			failed.Tried = append(failed.Tried, C.GoString(why))
			C.free(unsafe.Pointer(why))
			continue
		}
		return w.resolve(path, handle)
	}
	return nil, failed
}

func (w wanted) resolve(path string, handle unsafe.Pointer) (*library, error) {
	l := &library{path: path, functions: map[string]unsafe.Pointer{}}
	for _, name := range w.functions {
		text := C.CString(name)
		l.functions[name] = C.aegis_symbol(handle, text)
		C.free(unsafe.Pointer(text))
		if l.functions[name] == nil {
			return nil, fmt.Errorf("%s has no function %s", path, name)
		}
	}
	return l, nil
}

func (w wanted) candidates() []string {
	if path := os.Getenv(w.variable); w.variable != "" && path != "" {
		return []string{path}
	}
	var paths []string
	if filepath.IsAbs(w.folder) {
		for _, version := range w.versions {
			paths = append(paths, filepath.Join(w.folder, w.name+version))
		}
	}
	for _, version := range w.versions {
		paths = append(paths, w.name+version)
	}
	for _, folder := range libraryFolders() {
		for _, version := range w.versions {
			found, _ := filepath.Glob(filepath.Join(folder, w.name+version))
			paths = append(paths, found...)
		}
	}
	return paths
}

// libraryFolders are patterns of folders.
func libraryFolders() []string {
	var folders []string
	for _, root := range []string{os.Getenv("CUDA_HOME"), os.Getenv("CUDA_PATH"), "/usr/local/cuda"} {
		if root != "" {
			folders = append(folders, filepath.Join(root, "lib64"), filepath.Join(root, "targets/*-linux/lib"))
		}
	}
	for _, root := range []string{os.Getenv("VIRTUAL_ENV"), os.Getenv("CONDA_PREFIX"), pythonHome(), filepath.Join(os.Getenv("HOME"), ".local"), "/usr/local", "/usr"} {
		if root != "" {
			folders = append(folders, filepath.Join(root, "lib/python3*/*-packages/nvidia/*/lib"))
		}
	}
	if cache, err := os.UserCacheDir(); err == nil {
		folders = append(folders, filepath.Join(cache, "aegis/cuda/nvidia-*/nvidia/*/lib"))
	}
	return folders
}

// pythonHome is the environment of the python3 that a shell would start; it need not be an activated one.
func pythonHome() string {
	path, err := exec.LookPath("python3")
	if err != nil {
		return ""
	}
	return filepath.Dir(filepath.Dir(path))
}

// call calls a function that returns a status, with up to six arguments of a pointer's size.
func (l *library) call(name string, args ...uintptr) int {
	f, ok := l.functions[name]
	if !ok {
		panic("BUG: " + name + " is not among the library's functions")
	}
	var a [6]C.uintptr_t
	for i, v := range args {
		a[i] = C.uintptr_t(v)
	}
	return int(C.aegis_call(f, a[0], a[1], a[2], a[3], a[4], a[5]))
}
