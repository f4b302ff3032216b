package parity

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
)

// names are PyTorch's classes, functions and initialisers, by kind.
//
//go:embed names.txt
var names string

// classes names what a record is of.
func (r *Record) classes() []string {
	var classes []string
	if len(r.Spec.Modules) == 1 && r.Spec.Kind == "module" {
		classes = append(classes, r.Spec.Modules[0].Type)
	}
	if r.Spec.Loss != nil && r.Spec.Kind == "loss" { // a training that fails is no fault of its loss
		classes = append(classes, r.Spec.Loss.Type)
	}
	if r.Spec.Function != nil {
		classes = append(classes, r.Spec.Function.Name)
	}
	if r.Spec.Scheduler != nil {
		classes = append(classes, r.Spec.Scheduler.Type)
	}
	if r.Spec.Optimizer != nil && r.Spec.Scheduler == nil {
		classes = append(classes, r.Spec.Optimizer.Type)
	}
	if r.Spec.Init != nil {
		classes = append(classes, r.Spec.Init.Name)
	}
	return classes
}

// supported are the classes that have records, all of which pass.
func supported(results []Result) map[string]bool {
	ok := map[string]bool{"LambdaLR": true, "MultiplicativeLR": true} // of a function, which no record holds: see the optimizers' tests
	for _, r := range results {
		for _, class := range r.Classes {
			before, seen := ok[class]
			ok[class] = r.Status == Pass && (before || !seen)
		}
	}
	return ok
}

const (
	yes, no       = "✓", "–"
	onCPU, onCUDA = 1, 2 // columns of the table
	tableStart    = `# What is there of PyTorch 2.15

Every name has records of what PyTorch does in ` + "`parity/testdata`" + `, in float32 and float64. A ✓ says that all of them pass on the
CPU, or on a GPU, where the emulated device stands for one.

Written by ` + "`go test ./parity -run Records -update`" + `, the last column by ` + "`AEGIS_DEVICE=cuda:0 go test -tags gpu ./parity -run Records -update`" + `.
`
)

var row = regexp.MustCompile(`(?m)^\| (\w+) \| (.) \| (.) \|$`)

// supportTable is the text of SUPPORT.md, one column by what is supported, the other as it was.
func supportTable(before string, column int, ok map[string]bool) string {
	was := map[string][]string{}
	for _, m := range row.FindAllStringSubmatch(before, -1) {
		was[m[1]] = m
	}
	var b strings.Builder
	b.WriteString(tableStart)
	for _, line := range strings.Split(strings.TrimSpace(names), "\n") {
		if title, is := strings.CutPrefix(line, "# "); is {
			fmt.Fprintf(&b, "\n## %s\n\n| name | CPU | CUDA |\n|---|---|---|\n", title)
			continue
		}
		if line == "" {
			continue
		}
		cells := [3]string{line, no, no}
		for _, c := range []int{onCPU, onCUDA} {
			if c == column && ok[line] || c != column && was[line] != nil && was[line][c+1] == yes {
				cells[c] = yes
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", cells[0], cells[onCPU], cells[onCUDA])
	}
	return b.String()
}
