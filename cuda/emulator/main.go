// Command emulator builds the emulated device, a stand-in for NVIDIA's driver, compiler of kernels and cuBLAS on machines
// without a GPU, and prints the environment in which programs built with -tags gpu find it:
//
//	eval "$(go run ./cuda/setup)" && eval "$(go run ./cuda/emulator)" && go test -tags gpu ./parity
//
// Kernels are compiled for the host by g++ and run thread by thread, barriers and shuffles as on a GPU. Every access to
// memory is checked: outside an array, never written before, unordered with another thread's.
package main

import (
	"crypto/sha256"
	"embed"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed files
var files embed.FS

// names are those by which programs look for the libraries; one file serves all.
var names = []string{"libcuda.so.1", "libnvrtc.so.13", "libcublas.so.13", "libcublasLt.so.13"}

func main() {
	blas := flag.Bool("blas", true, "with cuBLAS; without, products are made by our own kernel")
	flag.Parse()
	folder, err := build()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cuda/emulator:", err)
		os.Exit(1)
	}
	cublas := filepath.Join(folder, names[2])
	if !*blas {
		cublas = "off"
	}
	fmt.Printf("export AEGIS_CUDA_DRIVER='%s'\n", filepath.Join(folder, names[0]))
	fmt.Printf("export AEGIS_NVRTC='%s'\n", filepath.Join(folder, names[1]))
	fmt.Printf("export AEGIS_CUBLAS='%s'\n", cublas)
	fmt.Println("export AEGIS_CUDA_ARENA=off")
}

// build compiles the device into a folder of the cache that is named by its text, unless it is there.
func build() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	var paths []string
	err = fs.WalkDir(files, "files", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		paths = append(paths, path)
		text, err := files.ReadFile(path)
		_, _ = fmt.Fprintf(sum, "%s %d\n%s", path, len(text), text)
		return err
	})
	if err != nil {
		return "", err
	}
	folder := filepath.Join(cache, "aegis", "cuda", fmt.Sprintf("emulator-%x", sum.Sum(nil)[:8]))
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	aside := fmt.Sprintf("%s.%d", folder, os.Getpid())
	if err := compile(aside, paths); err != nil {
		return "", err
	}
	return folder, os.Rename(aside, folder)
}

func compile(folder string, paths []string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	args := []string{"-std=c++17", "-O2", "-g1", "-fPIC", "-shared", "-Wall", "-Wextra", "-o", names[0]}
	for _, path := range paths {
		text, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(path)), text, 0o644); err != nil {
			return err
		}
		if strings.HasSuffix(path, ".cpp") {
			args = append(args, filepath.Base(path))
		}
	}
	compiler := exec.Command("g++", append(args, "-ldl")...)
	compiler.Dir = folder
	if out, err := compiler.CombinedOutput(); err != nil {
		return fmt.Errorf("g++: %w\n%s", err, out)
	}
	if err := precompile(folder); err != nil {
		return err
	}
	for _, name := range names[1:] {
		if err := os.Symlink(names[0], filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	return nil
}

// precompile reads the kernels' header once for all that are compiled after it.
func precompile(folder string) error {
	flags, err := files.ReadFile("files/flags")
	if err != nil {
		return err
	}
	compiler := exec.Command("g++", append(strings.Fields(string(flags)), "-x", "c++-header", "device.h", "-o", "device.h.gch")...)
	compiler.Dir = folder
	if out, err := compiler.CombinedOutput(); err != nil {
		return fmt.Errorf("g++: %w\n%s", err, out)
	}
	return nil
}
