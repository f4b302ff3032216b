package gradcheck_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/seed-70b75153/aegis/gradcheck"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
)

// checked are the types of the definitions, by their names in package ops, whose gradients were compared with finite differences.
var checked = map[string]bool{}

// check is [gradcheck.Check], and notes through which definitions gradients went.
func check(f func(in ...*graph.Expr) *graph.Expr, inputs ...*ops.Array) error {
	return checkBy(gradcheck.Settings{}, f, inputs...)
}

// checkBy is check by other settings.
func checkBy(s gradcheck.Settings, f func(in ...*graph.Expr) *graph.Expr, inputs ...*ops.Array) error {
	if err := gradcheck.Check(f, s, inputs...); err != nil {
		return err
	}
	in := make([]*graph.Expr, len(inputs))
	for i, a := range inputs {
		in[i] = graph.FromArray(*a).RequiresGrad()
	}
	plan, err := graph.View{Pass: "build"}.Of(f(in...))
	if err != nil {
		return err
	}
	leads := map[node]bool{} // to an input that is checked
	for _, in := range plan.Inputs {
		if in.Wanted {
			leads[in.Node] = true
		}
	}
	var visit func(n node) bool
	visit = func(n node) bool {
		if found, ok := leads[n]; ok {
			return found
		}
		op := ops.Of(n)
		if op == nil {
			return false
		}
		leads[n] = false
		for i, d := range op.Differentiable(op.In) {
			if below := visit(ops.Inputs(n)[i]); d && below {
				leads[n] = true
				checked[reflect.TypeOf(op.Definition).Name()] = true
			}
		}
		return leads[n]
	}
	for _, o := range plan.Outputs {
		visit(o.Node)
	}
	return nil
}

// TestMain wants, after the tests, that they checked every operation that has a gradient, unless -run left some out.
func TestMain(m *testing.M) {
	code := m.Run()
	if filter := flag.Lookup("test.run"); code == 0 && (filter == nil || filter.Value.String() == "") {
		missing, err := unchecked("../ops")
		if err != nil || len(missing) > 0 {
			fmt.Printf("operations of package ops whose gradients no test here has checked: %s %v\n", strings.Join(missing, ", "), err)
			code = 1
		}
	}
	os.Exit(code)
}

// unchecked are the types with a method Differentiable of their own that no test has checked. Those that end a derivative say so by
// noGradient.
func unchecked(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	own, ends := map[string]bool{}, map[string]bool{}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Name.Name != "Differentiable" && f.Name.Name != "Gradient" {
				continue
			}
			receiver, ok := f.Recv.List[0].Type.(*ast.Ident)
			if !ok {
				return nil, fmt.Errorf("%s: a receiver that is no type's name", path)
			}
			own[receiver.Name] = true
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && id.Name == "noGradient" {
					ends[receiver.Name] = true
				}
				return true
			})
		}
	}
	var missing []string
	for name := range own {
		if name != "noGradient" && !ends[name] && !checked[name] {
			missing = append(missing, name)
		}
	}
	if len(own) < 40 {
		err = fmt.Errorf("%s has only %d", dir, len(own))
	}
	slices.Sort(missing)
	return missing, err
}
