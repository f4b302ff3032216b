//go:build !linux

package kernel

import "testing"

// region stands for guarded memory, which these tests set up on Linux only.
type region struct{}

func newRegion(testing.TB) *region { return nil }

func slice[T Float](_ *region, n int, _ bool) []T { return make([]T, n) }
