//go:build gpu

package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/cuda"
)

// The PTX that is checked in is that of the sources as they are.
func TestTheFallbackIsOfTheSources(t *testing.T) {
	names := map[string]bool{}
	for _, s := range cuda.Sources() {
		names[s.Name+".gz"] = true
		for _, real := range s.Types() {
			ptx := string(cuda.Fallback(s, real))
			require.NotEmpty(t, ptx, "%s[%v] has changed: go generate -tags gpu ./cuda", s.Name, real)
			require.True(t, strings.HasPrefix(ptx, ".version 8.0\n.target sm_75\n"), s.Name)
			require.Equal(t, strings.Count(s.Text, "__global__"), strings.Count(ptx, ".entry "), s.Name)
		}
	}
	files, err := os.ReadDir("../ptx")
	require.NoError(t, err)
	for _, f := range files {
		require.True(t, names[f.Name()] || f.Name() == "generate.sh", "%s is of no source: go generate -tags gpu ./cuda", f.Name())
	}
}
