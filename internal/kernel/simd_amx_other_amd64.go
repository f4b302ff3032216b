//go:build !linux

package kernel

// amxPermitted is false: how to ask this system for tiles has not been tried.
func amxPermitted() bool { return false }
