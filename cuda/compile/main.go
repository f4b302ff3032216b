//go:build gpu

// Command compile compiles every kernel for the cards that count, by NVRTC, which needs no GPU:
//
//	eval "$(go run ./cuda/setup -nvrtc -ptxas)" && go run -tags gpu ./cuda/compile
//
// Where AEGIS_PTXAS names NVIDIA's assembler, registers and spills of each kernel are listed too, and a spill is a failure.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/seed-70b75153/aegis/cuda"
	_ "github.com/seed-70b75153/aegis/ops"
	_ "github.com/seed-70b75153/aegis/optimizers"
)

func main() {
	list := flag.String("arch", "75,80,90", "compute capabilities")
	only := flag.String("only", "", "sources whose name contains this")
	verbose := flag.Bool("v", false, "list every kernel")
	fallback := flag.String("fallback", "", "write the PTX that is checked in to this folder, and do nothing else")
	flag.Parse()
	var err error
	if *fallback != "" {
		err = writeFallback(*fallback)
	} else {
		err = checkAll(*only, strings.Split(*list, ","), *verbose)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// checkAll compiles the sources for all cards.
func checkAll(only string, arches []string, verbose bool) error {
	var failures []error
	count := 0
	for _, s := range cuda.Sources() {
		if !strings.Contains(s.Name, only) {
			continue
		}
		for _, real := range s.Types() {
			for _, arch := range arches {
				count++
				failures = append(failures, check(s, real, arch, verbose))
			}
		}
	}
	fmt.Printf("%d modules of %d sources for %s\n", count, len(cuda.Sources()), strings.Join(arches, ","))
	return errors.Join(failures...)
}

// check compiles a source to a cubin and, with ptxas, to PTX whose assembling is watched, as is that of the PTX checked in.
func check(s *cuda.Source, real cuda.Type, arch string, verbose bool) error {
	if _, err := cuda.Compile(s, real, "sm_"+arch); err != nil {
		return err
	}
	ptxas := os.Getenv("AEGIS_PTXAS")
	if ptxas == "" {
		return nil
	}
	ptx, err := cuda.Compile(s, real, "compute_"+arch)
	if err != nil {
		return err
	}
	out, err := assemble(ptxas, arch, ptx)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	if checkedIn := cuda.Fallback(s, real); checkedIn != nil {
		if _, err := assemble(ptxas, arch, checkedIn); err != nil {
			return fmt.Errorf("%s, checked in: %w", s.Name, err)
		}
	}
	return report(fmt.Sprintf("%s[%v] sm_%s", s.Name, real, arch), out, verbose)
}

// assemble gives what ptxas says.
func assemble(ptxas, arch string, ptx []byte) (string, error) {
	folder, err := os.MkdirTemp("", "aegis-ptxas")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "kernels.ptx")
	if err := os.WriteFile(path, []byte(strings.TrimRight(string(ptx), "\x00")), 0o644); err != nil {
		return "", err
	}
	out, err := exec.Command(ptxas, "-v", "-arch=sm_"+arch, "-o", os.DevNull, path).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ptxas: %w\n%s", err, out)
	}
	return string(out), nil
}

// writeFallback compiles every source for compute_75, and packs it.
func writeFallback(folder string) error {
	old, err := filepath.Glob(filepath.Join(folder, "*.gz"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	for _, s := range cuda.Sources() {
		ptx := map[cuda.Type][]byte{}
		for _, real := range s.Types() {
			compiled, err := cuda.Compile(s, real, "compute_75")
			if err != nil {
				return err
			}
			ptx[real] = call.ReplaceAll(compiled, nil)
		}
		packed, err := cuda.PackFallback(s, ptx)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, s.Name+".gz"), packed, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// NVRTC numbers calls by how many came before them in its process: the number says nothing, and would change the file each time.
var call = regexp.MustCompile(`// callseq \d+(, \d+)?`)

var (
	function  = regexp.MustCompile(`Compiling entry function '(\w+)'`)
	registers = regexp.MustCompile(`Used (\d+) registers`)
	spills    = regexp.MustCompile(`(\d+) bytes spill stores`)
)

// report reads what ptxas says of each kernel.
func report(module, out string, verbose bool) error {
	name, spilt := "", ""
	var failures []error
	for _, line := range strings.Split(out, "\n") {
		if m := function.FindStringSubmatch(line); m != nil {
			name = m[1]
		}
		if m := spills.FindStringSubmatch(line); m != nil {
			spilt = m[1]
		}
		m := registers.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if verbose {
			fmt.Printf("%-60s %4s registers, %s bytes spilt\n", module+" "+name, m[1], spilt)
		}
		if spilt != "0" {
			failures = append(failures, fmt.Errorf("%s: kernel %s spills %s bytes", module, name, spilt))
		}
	}
	return errors.Join(failures...)
}
