package parity

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// otherwise are functions that package ops has by another of PyTorch's names.
var otherwise = map[string]string{
	"native_channel_shuffle": "channel_shuffle", "upsample": "interpolate", "upsample_bilinear": "interpolate", "upsample_nearest": "interpolate",
}

// Every function that SUPPORT.md lists is a row of the tables, and a Go function of package ops by that name.
func TestOpsCarriesTheNames(t *testing.T) {
	_, section, _ := strings.Cut(names, "# torch.nn.functional\n")
	section, _, _ = strings.Cut(section, "\n#")
	list := strings.Fields(section)
	require.Greater(t, len(list), 100)
	exported := exportedOf(t, "../ops")
	for _, name := range list {
		_, _, ok := functionOf(name)
		require.True(t, ok, name)
		plain := strings.TrimSuffix(strings.TrimSuffix(name, "_with_indices"), "_")
		if other, ok := otherwise[plain]; ok {
			plain = other
		}
		require.True(t, exported[strings.ReplaceAll(plain, "_", "")], "no function of package ops has the name %s", plain)
	}
}

// exportedOf are a package's functions, their names in small letters.
func exportedOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	found := map[string]bool{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.IsExported() {
				found[strings.ToLower(f.Name.Name)] = true
			}
		}
	}
	return found
}

// An argument or a tensor that a function doesn't know is named, and nothing passes for want of it.
func TestFunctionArgumentsAreRead(t *testing.T) {
	path := "testdata/function/elu_1_float32.safetensors"
	for name, c := range map[string]struct {
		change func(args map[string]json.RawMessage)
		text   string
	}{
		"unknown":   {func(args map[string]json.RawMessage) { args["beta"] = json.RawMessage("2") }, "argument beta = 2 is not known"},
		"of a kind": {func(args map[string]json.RawMessage) { args["alpha"] = json.RawMessage(`"much"`) }, "argument alpha"},
		"other":     {func(args map[string]json.RawMessage) { args["alpha"] = json.RawMessage("0.25") }, "times what is allowed"},
		"neutral":   {func(args map[string]json.RawMessage) { args["inplace"] = json.RawMessage("true") }, ""},
	} {
		r, err := Open(path)
		require.NoError(t, err, name)
		c.change(r.Spec.Function.Args)
		if err = replay(r); c.text == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, c.text, name)
		}
	}
	r, err := Open(path)
	require.NoError(t, err)
	r.Spec.Function.Name = "elude"
	var unsupported *UnsupportedError
	require.ErrorAs(t, replay(r), &unsupported)
}
