// Command setup finds what a build with -tags gpu needs, CUDA's headers, and prints the environment for it:
//
//	eval "$(go run ./cuda/setup)" && go build -tags gpu ./...
//
// A toolkit that is installed is used as it is; else the headers are fetched from PyPI, once. With -nvrtc the compiler of
// kernels is fetched too, with -ptxas the assembler: neither needs a GPU.
package main

import (
	"embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed files/cuda.h
var files embed.FS

func main() {
	nvrtc := flag.Bool("nvrtc", false, "fetch NVRTC too, and name it in AEGIS_NVRTC")
	old := flag.Bool("old", false, "of NVRTC an early one of CUDA 12, whose PTX older drivers load too")
	ptxas := flag.Bool("ptxas", false, "fetch ptxas too, and name it in AEGIS_PTXAS")
	flag.Parse()
	lines, err := environment(*nvrtc && !*old, *nvrtc && *old, *ptxas)
	if err != nil {
		fmt.Fprintln(os.Stderr, "cuda/setup:", err)
		os.Exit(1)
	}
	fmt.Println(strings.Join(lines, "\n"))
}

// environment gives the lines to be evaluated by a shell.
func environment(nvrtc, oldNVRTC, ptxas bool) ([]string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	cache = filepath.Join(cache, "aegis", "cuda")
	include, err := headers(cache)
	if err != nil {
		return nil, err
	}
	build := filepath.Join(cache, "build")
	if err := writeBuildFiles(build); err != nil {
		return nil, err
	}
	lines := []string{
		fmt.Sprintf("export CGO_CFLAGS='-O2 -g -I%s -I%s'", build, include),
		fmt.Sprintf("export CGO_LDFLAGS='-O2 -g -L%s'", build),
	}
	for _, tool := range []struct {
		wanted         bool
		variable, name string
		pattern        string
	}{
		{nvrtc, "AEGIS_NVRTC", "nvidia-cuda-nvrtc", "nvidia/cu13/lib/libnvrtc.so.13"},
		{oldNVRTC, "AEGIS_NVRTC", "nvidia-cuda-nvrtc-cu12", "nvidia/cuda_nvrtc/lib/libnvrtc.so.12"},
		{ptxas, "AEGIS_PTXAS", "nvidia-cuda-nvcc", "nvidia/cu13/bin/ptxas"},
	} {
		if !tool.wanted {
			continue
		}
		folder, err := fetched(cache, tool.name)
		if err != nil {
			return nil, err
		}
		lines = append(lines, fmt.Sprintf("export %s='%s'", tool.variable, filepath.Join(folder, tool.pattern)))
	}
	return lines, nil
}

// headers is the include folder of an installed toolkit, or of the package of headers.
func headers(cache string) (string, error) {
	for _, root := range []string{os.Getenv("CUDA_HOME"), os.Getenv("CUDA_PATH"), "/usr/local/cuda"} {
		include := filepath.Join(root, "include")
		if _, err := os.Stat(filepath.Join(include, "cuda.h")); root != "" && err == nil {
			return include, nil
		}
	}
	folder, err := fetched(cache, "nvidia-cuda-runtime")
	return filepath.Join(folder, "nvidia/cu13/include"), err
}

// writeBuildFiles writes the header that stands before CUDA's, and an empty archive for cu's -lcuda: its functions are our
// own jumps.
func writeBuildFiles(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	wrapper, err := files.ReadFile("files/cuda.h")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "cuda.h"), wrapper, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "libcuda.a"), []byte("!<arch>\n"), 0o644)
}
