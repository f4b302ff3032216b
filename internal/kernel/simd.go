package kernel

import "fmt"

// SIMD names the instruction set in use: "avx512", "avx2" or "generic".
func SIMD() string { return "generic" }

func available() []string { return []string{"generic"} }

func use(name string) error {
	if name != "generic" {
		return fmt.Errorf("kernel: %q", name)
	}
	return nil
}
