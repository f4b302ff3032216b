package graph

import (
	"fmt"
	"os"
	"slices"
)

// Pass is one rewrite of the plan.
type Pass struct {
	Name string
	// After names the passes that must have run before.
	After []string
	Run   func(p *Plan) error
}

// passes run in this order, which is checked against what each says of itself.
var passes = []Pass{
	{Name: "adopt", Run: adopt},
	{Name: "fold", Run: fold, After: []string{"adopt"}},
	{Name: "fuse-activation", Run: fuseActivation, After: []string{"adopt", "fold"}},
	{Name: "gradient", Run: differentiate, After: []string{"fuse-activation"}},
	{Name: "sum-gradients", Run: sumGradients, After: []string{"gradient"}},
	{Name: "fuse-gradients", Run: fuseGradients, After: []string{"gradient", "sum-gradients"}},
	{Name: "own", Run: own, After: []string{"gradient", "sum-gradients", "fuse-gradients"}},
}

// Passes gives the table of passes.
func Passes() []Pass { return slices.Clone(passes) }

func init() {
	if err := checkOrder(passes); err != nil {
		panic("BUG: " + err.Error())
	}
}

func checkOrder(table []Pass) error {
	seen := map[string]bool{}
	for _, p := range table {
		for _, before := range p.After {
			if !seen[before] {
				return fmt.Errorf("pass %s must run after %s", p.Name, before)
			}
		}
		if seen[p.Name] {
			return fmt.Errorf("two passes are named %s", p.Name)
		}
		seen[p.Name] = true
	}
	return nil
}

func runPasses(p *Plan, passes []Pass) error {
	dump := os.Getenv("AEGIS_DUMP")
	for _, pass := range passes {
		if err := guard("pass "+pass.Name, func() error { return pass.Run(p) }); err != nil {
			return err
		}
		if dump == pass.Name || dump == "all" {
			fmt.Fprintf(os.Stderr, "-- %s\n%s", pass.Name, p)
		}
	}
	return nil
}
