//go:build !gpu

package main

import "github.com/seed-70b75153/aegis/cuda"

// onCUDA needs a build for GPUs.
func onCUDA([]string) error { return cuda.Available() }
