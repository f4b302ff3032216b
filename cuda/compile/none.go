//go:build !gpu

// Command compile compiles every kernel by NVRTC. It needs -tags gpu.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "build with -tags gpu")
	os.Exit(1)
}
