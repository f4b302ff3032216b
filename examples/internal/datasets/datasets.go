// Package datasets holds the small real tables that the examples learn from. SOURCE.md says where they come from and under
// which licence they are.
package datasets

import "strings"

// Classification is a table whose rows belong to classes.
type Classification struct {
	Columns  []string    // the names of the features
	Features [][]float32 // a row each
	Labels   []int64     // the class of each row, from 0
	Classes  []string    // the names of the classes
}

// Regression is a table whose rows have a measured number each.
type Regression struct {
	Columns  []string
	Features [][]float32
	Targets  []float32
}

// Sequences are rows of steps, of as many steps each as it happens, that belong to classes.
type Sequences struct {
	Columns []string      // the names of a step's features
	Steps   [][][]float32 // of each sequence, a row for each step
	Labels  []int64       // the class of each sequence, from 0
	Classes []string      // the names of the classes
	Train   int           // how many of them, the first, are for training; the others are for the test
}

// Digits are 1,797 handwritten digits: 64 features, the dark points in each cell of an 8x8 image, 0 to 16.
func Digits() (*Classification, error) {
	return classification("digits.csv.gz", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
}

// Iris are 150 flowers of three species, with four lengths in centimetres.
func Iris() (*Classification, error) {
	return classification("iris.csv.gz", "setosa", "versicolor", "virginica")
}

// Diabetes are 442 patients with ten measurements as they were taken, and the progression of their disease a year later.
func Diabetes() (*Regression, error) {
	columns, rows, err := read("diabetes.csv.gz")
	if err != nil {
		return nil, err
	}
	features, targets := split(rows)
	return &Regression{Columns: columns[:len(columns)-1], Features: features, Targets: targets}, nil
}

// Vowels are 640 times that nine men said "ae": 7 to 29 steps of 12 features, the coefficients of the voice's cepstrum, and
// who spoke. The last 370 were recorded on other occasions than the first 270.
func Vowels() (*Sequences, error) {
	columns, rows, err := read("vowels.csv.gz")
	if err != nil {
		return nil, err
	}
	s := &Sequences{Columns: columns[1 : len(columns)-1], Classes: []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, Train: 270}
	features, last := split(rows)
	for i, row := range features {
		n := int(row[0])
		if n == len(s.Steps) {
			s.Steps, s.Labels = append(s.Steps, nil), append(s.Labels, int64(last[i]))
		}
		s.Steps[n] = append(s.Steps[n], row[1:])
	}
	return s, nil
}

// Sonnets are Shakespeare's 154 sonnets, their lines with line ends between.
func Sonnets() ([]string, error) {
	whole, err := text("sonnets.txt.gz")
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(whole, "\n"), "\n\n"), nil
}

func classification(name string, classes ...string) (*Classification, error) {
	columns, rows, err := read(name)
	if err != nil {
		return nil, err
	}
	features, last := split(rows)
	labels := make([]int64, len(last))
	for i, x := range last {
		labels[i] = int64(x)
	}
	return &Classification{Columns: columns[:len(columns)-1], Features: features, Labels: labels, Classes: classes}, nil
}

// split takes the last column off.
func split(rows [][]float32) (features [][]float32, last []float32) {
	features, last = make([][]float32, len(rows)), make([]float32, len(rows))
	for i, row := range rows {
		n := len(row) - 1
		features[i], last[i] = row[:n:n], row[n]
	}
	return features, last
}
