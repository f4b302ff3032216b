//go:build gpu

package ops

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/internal/kernel"
)

// methods are the types of this package that have a method of their own of that name.
func methods(t *testing.T, name string) map[string]bool {
	t.Helper()
	types := map[string]bool{}
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Name.Name != name {
				continue
			}
			receiver := f.Recv.List[0].Type
			if star, ok := receiver.(*ast.StarExpr); ok {
				receiver = star.X
			}
			if of, ok := receiver.(*ast.Ident); ok {
				types[of.Name] = true
			}
		}
	}
	return types
}

// Whatever computes on the CPU, by a method Run, launches kernels on a GPU, by a method Launch beside it.
func TestEveryOperationRunsOnAGPU(t *testing.T) {
	run, launch := methods(t, "Run"), methods(t, "Launch")
	require.Greater(t, len(run), 50)
	for name := range run {
		if name != "result" { // the producer's own memory: nothing is computed
			require.True(t, launch[name], "%s has Run, but no Launch", name)
		}
	}
}

func TestEveryRowOfATableHasItsCUDA(t *testing.T) {
	k := kernel.Unary(0)
	for ; !strings.Contains(k.String(), "("); k++ {
		require.Contains(t, activationCUDA, k)
	}
	require.Len(t, activationCUDA, int(k))
	for k := range lossRows {
		require.Contains(t, lossCUDA, lossKind(k), lossRows[k].name)
	}
}
