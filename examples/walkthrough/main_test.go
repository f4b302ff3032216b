package main

import (
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// printed gives what f prints.
func printed(t *testing.T, f func()) string {
	t.Helper()
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	stdout := os.Stdout
	os.Stdout = writer
	defer func() { os.Stdout = stdout }()

	text := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(reader)
		text <- all
	}()
	f()
	require.NoError(t, writer.Close())
	return string(<-text)
}

// TestPrintsWhatPyTorchPrints compares the whole output with that of walkthrough.py.
func TestPrintsWhatPyTorchPrints(t *testing.T) {
	expected, err := os.ReadFile("testdata/expected.txt")
	require.NoError(t, err)
	require.Equal(t, string(expected), printed(t, main))
}

// TestNotes looks for the numbers of the notes that don't depend on random weights.
func TestNotes(t *testing.T) {
	text := printed(t, main)
	for _, want := range []string{
		"tensor([[0.9975]])\n",
		"Model capacity: 26\n",
		"tensor(9.8245, dtype=torch.float64)\n",
		"tensor(1.8455, dtype=torch.float64, grad_fn=<DivBackward1>)\n",
		"tensor([ 0.5986, -0.5986])\n",
	} {
		require.Contains(t, text, want)
	}
}
