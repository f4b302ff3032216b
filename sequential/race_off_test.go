//go:build !race

package sequential_test

const raceEnabled = false
