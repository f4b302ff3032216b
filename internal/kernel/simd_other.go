//go:build !amd64

package kernel

// instructionSets is empty: here the Go loops are all there is.
func instructionSets() []instructionSet { return nil }
