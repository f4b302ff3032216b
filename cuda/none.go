//go:build !gpu

package cuda

// Available says why no GPU can be used: the program was built without -tags gpu.
func Available() error { return &UnavailableError{Why: "built without -tags gpu"} }
