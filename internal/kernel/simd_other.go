//go:build !amd64

package kernel

// instructionSets is empty: here the Go loops are all there is.
func instructionSets() []instructionSet { return nil }

// secondCache is unknown here.
func secondCache() int { return 0 }

// pause has no instruction to use here; the callers' loops wait by themselves.
func pause(int) {}
