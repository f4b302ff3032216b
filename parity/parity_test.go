package parity

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/graph"
)

// TestRecords replays testdata, or the folder AEGIS_RECORDS, on the device AEGIS_DEVICE.
func TestRecords(t *testing.T) {
	if name := os.Getenv("AEGIS_DEVICE"); name != "" {
		var err error
		Device, err = graph.ParseDevice(name)
		require.NoError(t, err, "AEGIS_DEVICE")
		defer func() { Device = graph.CPU }()
	}
	dir := "testdata"
	if other := os.Getenv("AEGIS_RECORDS"); other != "" {
		dir = other
	}
	paths, err := Find(dir)
	require.NoError(t, err)
	allow := os.Getenv("AEGIS_RECORDS_ALLOW_UNSUPPORTED") == "1"
	var results []Result
	count := map[Status]int{}
	for _, path := range paths {
		name, err := filepath.Rel(dir, path)
		require.NoError(t, err)
		t.Run(strings.TrimSuffix(filepath.ToSlash(name), ".safetensors"), func(t *testing.T) {
			result := Replay(path)
			result.Record = filepath.ToSlash(name)
			results = append(results, result)
			count[result.Status]++
			switch {
			case result.Status == Unsupported && allow:
				t.Logf("unsupported: %s", result.Type)
			case result.Status != Pass:
				t.Errorf("%s: %s\n%s", result.Status, result.Error, result.Code)
			}
		})
	}
	t.Logf("%d records: %d pass, %d fail, %d unsupported", len(results), count[Pass], count[Fail], count[Unsupported])
	if report := os.Getenv("AEGIS_RECORDS_REPORT"); report != "" {
		require.NoError(t, WriteReport(report, results))
	}
	if dir == "testdata" {
		checkSupport(t, results)
	}
}

var update = flag.Bool("update", false, "write SUPPORT.md")

// checkSupport holds SUPPORT.md to the results of all records.
func checkSupport(t *testing.T, results []Result) {
	const path = "../SUPPORT.md"
	before, err := os.ReadFile(path)
	require.True(t, err == nil || *update, "%v", err)
	column := onCPU
	if Device != graph.CPU {
		column = onCUDA
	}
	table := supportTable(string(before), column, supported(results))
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(table), 0o644))
		return
	}
	require.Equal(t, table, string(before), "SUPPORT.md is not what the records say: run the command in it")
}

// TestSuiteCanFail replays what is wrong on purpose: none of it may pass.
func TestSuiteCanFail(t *testing.T) {
	results, err := ReplayAll("testdata-bad")
	require.NoError(t, err)
	want := map[string]struct {
		status Status
		text   string
	}{
		"broken_spec": {Fail, "kind"}, "cut_short": {Fail, "bytes"},
		"unsupported": {Unsupported, "Lineal"}, "wrong_value": {Fail, "times what is allowed"},
	}
	require.Len(t, results, len(want))
	for _, r := range results {
		w := want[strings.TrimSuffix(filepath.Base(r.Record), ".safetensors")]
		require.Equal(t, w.status, r.Status, r.Record)
		require.Contains(t, r.Error, w.text, r.Record)
	}
}

func TestNoRecordsIsAFailure(t *testing.T) {
	_, err := ReplayAll(t.TempDir())
	require.True(t, errors.Is(err, ErrNoRecords))
}
