//go:build race

package sequential_test

// raceEnabled: the detector allocates.
const raceEnabled = true
