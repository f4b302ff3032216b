package datasets

import (
	"compress/gzip"
	"embed"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
)

//go:embed *.gz
var files embed.FS

// text unpacks a gzipped file.
func text(name string) (string, error) {
	file, err := files.Open(name)
	if err != nil {
		return "", fmt.Errorf("datasets: %w", err)
	}
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		return "", fmt.Errorf("datasets: %s: %w", name, err)
	}
	whole, err := io.ReadAll(unpacked)
	if err != nil {
		return "", fmt.Errorf("datasets: %s: %w", name, err)
	}
	return string(whole), nil
}

// read gives the column names and the rows of a gzipped CSV file of numbers.
func read(name string) (columns []string, rows [][]float32, err error) {
	table, err := text(name)
	if err != nil {
		return nil, nil, err
	}
	records, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	if err != nil {
		return nil, nil, fmt.Errorf("datasets: %s: %w", name, err)
	}
	if len(records) == 0 {
		return nil, nil, fmt.Errorf("datasets: %s: no column names", name)
	}
	rows = make([][]float32, len(records)-1)
	for i, record := range records[1:] {
		rows[i] = make([]float32, len(record))
		for j, field := range record {
			x, err := strconv.ParseFloat(field, 32)
			if err != nil {
				return nil, nil, fmt.Errorf("datasets: %s: row %d, %s: %w", name, i, records[0][j], err)
			}
			rows[i][j] = float32(x)
		}
	}
	return records[0], rows, nil
}
