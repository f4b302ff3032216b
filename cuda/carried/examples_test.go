//go:build gpu

package carried

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/cuda"
)

// TestExamples has every example that trains do so for some epochs on the GPU, and compares what it prints with what it prints on
// the CPU.
func TestExamples(t *testing.T) {
	for _, program := range examples(t) {
		t.Run(filepath.Base(program), func(t *testing.T) {
			if !trains(t, program) {
				return // it has no device to choose
			}
			args := []string{"-device", "cpu", "-epochs", "3"}
			g, err := cuda.Device(0).Open()
			require.NoError(t, err)
			if strings.Contains(g.String(), "emulated") {
				args[3] = "1" // it is thousands of times slower
			}
			want := printed(t, program, args...)
			args[1] = "cuda:0"
			got := printed(t, program, args...)
			require.NotEmpty(t, want)
			require.Len(t, got, len(want))
			for i := range want {
				require.InDelta(t, want[i], got[i], 0.05*(1+want[i]))
			}
		})
	}
}

// examples are the programs that were carried, or else those that are built here of the quick ones.
func examples(t *testing.T) []string {
	t.Helper()
	carried, err := filepath.Glob("examples/*")
	require.NoError(t, err)
	if len(carried) > 0 {
		return carried
	}
	folder := t.TempDir()
	var programs []string
	for _, name := range []string{"iris", "diabetes"} {
		path := filepath.Join(folder, name)
		out, err := exec.Command("go", "build", "-tags", "gpu", "-o", path, "../../examples/"+name).CombinedOutput()
		require.NoError(t, err, string(out))
		programs = append(programs, path)
	}
	return programs
}

// trains says whether a program has the flag that fit gives to those that train.
func trains(t *testing.T, program string) bool {
	t.Helper()
	usage, _ := exec.Command(program, "-h").CombinedOutput()
	return strings.Contains(string(usage), "-device")
}

var number = regexp.MustCompile(`-?\d+\.\d+`)

// printed are the numbers that a program prints.
func printed(t *testing.T, program string, args ...string) []float64 {
	t.Helper()
	c := exec.Command(program, args...)
	c.Env = os.Environ()
	out, err := c.Output()
	require.NoError(t, err, string(out))
	var numbers []float64
	for _, text := range number.FindAllString(string(out), -1) {
		x, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		numbers = append(numbers, x)
	}
	return numbers
}
