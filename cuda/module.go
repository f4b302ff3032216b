//go:build gpu

package cuda

// #include "core.h"
import "C"

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"gorgonia.org/cu"
)

type moduleKey struct {
	source *Source
	real   Type
}

// module is a source compiled and loaded.
type module struct {
	loaded    cu.Module
	functions map[string]*function
}

// function is a kernel that can be launched.
type function struct {
	handle      unsafe.Pointer
	mostThreads int // of a block, which the registers that it takes may bound
}

// function finds a kernel, compiled at its first use.
func (g *GPU) function(k Kernel) (*function, error) {
	m, err := g.module(moduleKey{k.source, k.real})
	if err != nil {
		return nil, err
	}
	if f, ok := m.functions[k.name]; ok {
		return f, nil
	}
	loaded, err := m.loaded.Function(k.name)
	if err != nil {
		return nil, fmt.Errorf("kernel %v: %w", k, g.named("cuModuleGetFunction", err))
	}
	f := &function{handle: *(*unsafe.Pointer)(unsafe.Pointer(&loaded))} // a struct of the handle alone
	var most C.int
	if err := g.answer("cuFuncGetAttribute", int(C.aegis_most_threads(f.handle, &most))); err != nil {
		return nil, fmt.Errorf("kernel %v: %w", k, err)
	}
	f.mostThreads = int(most)
	m.functions[k.name] = f
	return f, nil
}

func (g *GPU) module(key moduleKey) (*module, error) {
	if m := g.modules[key]; m != nil {
		return m, nil
	}
	image, err := g.image(key)
	if err != nil {
		return nil, err
	}
	loaded, err := cu.LoadData(string(image))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key.source.Name, g.named("cuModuleLoadData", err))
	}
	m := &module{loaded: loaded, functions: map[string]*function{}}
	g.modules[key] = m
	return m, nil
}

// image is the source compiled for the card, from disk if it was compiled before. Without NVRTC, or by one that doesn't know the
// card, it is the PTX that is checked in, which the driver compiles.
func (g *GPU) image(key moduleKey) ([]byte, error) {
	name, text, options := key.source.Name, key.source.text(key.real), options(g.arch)
	path := ""
	if folder := cacheFolder(); folder != "" {
		sum := sha256.Sum256([]byte(strings.Join(append(options, text), "\x00")))
		path = filepath.Join(folder, fmt.Sprintf("%s-%x", name, sum[:16]))
	}
	compiler, missing := openNVRTC()
	if missing != nil {
		if image := compiledBefore(path + "-*.cubin"); image != nil {
			return image, nil
		}
		return fallback(key, fmt.Errorf("kernels of %s: %w", name, missing))
	}
	path += "-" + compiler.version + ".cubin"
	if image := compiledBefore(path); image != nil {
		return image, nil
	}
	image, err := compiler.compile(name, text, options)
	var call *CallError
	if errors.As(err, &call) {
		return fallback(key, err)
	}
	if err == nil && cacheFolder() != "" {
		keep(path, image)
	}
	return image, err
}

// compiledBefore is a source that was kept, by a pattern of its path, or nil.
func compiledBefore(pattern string) []byte {
	found, _ := filepath.Glob(pattern)
	for _, path := range found {
		if image, err := os.ReadFile(path); err == nil && len(image) > 0 {
			return image
		}
	}
	return nil
}

// fallback is the PTX that is checked in, or why nothing else can be had.
func fallback(key moduleKey, otherwise error) ([]byte, error) {
	if ptx := Fallback(key.source, key.real); ptx != nil {
		return append(ptx, 0), nil
	}
	return nil, otherwise
}

// cacheFolder is where compiled kernels are kept: AEGIS_CUDA_CACHE, or the user's; "off" keeps none.
func cacheFolder() string {
	folder := os.Getenv("AEGIS_CUDA_CACHE")
	if folder == "off" {
		return ""
	}
	if folder == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return ""
		}
		folder = filepath.Join(cache, "aegis", "cuda", "kernels")
	}
	return folder
}

// keep writes a compiled source to disk, whole or not at all. A disk that refuses costs only time.
func keep(path string, image []byte) {
	if os.MkdirAll(filepath.Dir(path), 0o755) != nil {
		return
	}
	aside := fmt.Sprintf("%s.%d", path, os.Getpid())
	if os.WriteFile(aside, image, 0o644) != nil || os.Rename(aside, path) != nil {
		_ = os.Remove(aside)
	}
}
