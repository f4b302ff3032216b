package parity

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/ops"
)

// Status is how a replay ended.
type Status string

// The ways to end.
const (
	Pass        Status = "pass"
	Fail        Status = "fail"
	Unsupported Status = "unsupported"
)

// Result is how the replay of one record ended.
type Result struct {
	Record  string   `json:"record"`
	Kind    string   `json:"kind,omitempty"`
	Code    string   `json:"code,omitempty"`
	Status  Status   `json:"status"`
	Classes []string `json:"classes,omitempty"` // what it is a record of
	Type    string   `json:"type,omitempty"`    // what is unsupported
	Tensor  string   `json:"tensor,omitempty"`  // where the largest error stands
	Error   string   `json:"error,omitempty"`
	Excess  float64  `json:"excess,omitempty"` // the largest error over what is allowed
}

// kinds replay the kinds of record.
var kinds = map[string]func(r *Record) error{
	"module": replayModule, "loss": replayLoss, "function": replayFunction, "init": replayInit, "random": replayRandom,
	"optimizer": replayOptimizer, "scheduler": replayScheduler, "training": replayTraining,
}

// Replay checks one record file.
func Replay(path string) Result {
	result := Result{Record: path}
	r, err := Open(path)
	if err == nil {
		result.Kind, result.Code, result.Classes = r.Spec.Kind, r.Code, r.classes()
		err = replay(r)
	}
	return result.end(err)
}

func replay(r *Record) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	f, ok := kinds[r.Spec.Kind]
	if !ok {
		return &SpecError{r.Path, fmt.Sprintf("kind %q is not known", r.Spec.Kind)}
	}
	return f(r)
}

func (result Result) end(err error) Result {
	result.Status = Pass
	if err == nil {
		return result
	}
	result.Status, result.Error = Fail, err.Error()
	if name, ok := unsupported(err); ok {
		result.Status, result.Type = Unsupported, name
	}
	var m *mismatchError
	if errors.As(err, &m) {
		result.Tensor, result.Excess = m.Tensor, math.Min(m.Mismatch.Error, math.MaxFloat64)
	}
	return result
}

// unsupported names the class that an error says is not known.
func unsupported(err error) (string, bool) {
	var here *UnsupportedError
	var layer *layers.UnsupportedError
	var loss *losses.UnsupportedError
	var kernel *ops.KernelError
	switch {
	case errors.As(err, &here):
		return here.Type, true
	case errors.As(err, &layer):
		return layer.Type, true
	case errors.As(err, &kernel):
		return kernel.Error(), true
	case errors.As(err, &loss):
		return loss.Type, true
	}
	return unsupportedOptimizer(err)
}

// ErrNoRecords says that a folder holds no record at all, which is no success.
var ErrNoRecords = errors.New("no records")

// Find gives the records below a folder.
func Find(dir string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".safetensors") {
			paths = append(paths, path)
		}
		return err
	})
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("%s: %w", dir, ErrNoRecords)
	}
	return paths, err
}

// ReplayAll checks every record below a folder.
func ReplayAll(dir string) ([]Result, error) {
	paths, err := Find(dir)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(paths))
	for i, path := range paths {
		results[i] = Replay(path)
	}
	return results, nil
}

// WriteReport writes results as JSON.
func WriteReport(path string, results []Result) error {
	text, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	aside := path + ".new"
	if err := os.WriteFile(aside, append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(aside, path)
}
