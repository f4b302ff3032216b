package datasets

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func sum(rows [][]float32) (total float64) {
	for _, row := range rows {
		for _, x := range row {
			total += float64(x)
		}
	}
	return total
}

// TestClassification compares counts, sums and rows with those of the original tables.
func TestClassification(t *testing.T) {
	for name, test := range map[string]struct {
		load    func() (*Classification, error)
		columns int
		sum     float64
		counts  []int
		first   []float32 // the start of the first row
		last    []float32 // the end of the last row
	}{
		"digits": {
			load: Digits, columns: 64, sum: 561718,
			counts: []int{178, 182, 177, 183, 181, 182, 181, 179, 174, 180},
			first:  []float32{0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0},
			last:   []float32{0, 0, 1, 8, 12, 14, 12, 1, 0},
		},
		"iris": {
			load: Iris, columns: 4, sum: 2078.7,
			counts: []int{50, 50, 50},
			first:  []float32{5.1, 3.5, 1.4, 0.2},
			last:   []float32{5.9, 3, 5.1, 1.8},
		},
	} {
		t.Run(name, func(t *testing.T) {
			table, err := test.load()
			require.NoError(t, err)
			require.Len(t, table.Columns, test.columns)
			require.Len(t, table.Labels, len(table.Features))
			require.Len(t, table.Classes, len(test.counts))
			counts := make([]int, len(test.counts))
			for i, label := range table.Labels {
				require.Len(t, table.Features[i], test.columns)
				counts[label]++
			}
			require.Equal(t, test.counts, counts)
			require.InDelta(t, test.sum, sum(table.Features), 1e-3)
			require.Equal(t, test.first, table.Features[0][:len(test.first)])
			final := table.Features[len(table.Features)-1]
			require.Equal(t, test.last, final[len(final)-len(test.last):])
		})
	}
}

func TestDiabetes(t *testing.T) {
	table, err := Diabetes()
	require.NoError(t, err)
	require.Equal(t, []string{"age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"}, table.Columns)
	require.Len(t, table.Features, 442)
	require.Len(t, table.Targets, 442)
	require.InDelta(t, 276404.2336, sum(table.Features), 1e-2)
	require.InDelta(t, 67243, sum([][]float32{table.Targets}), 0)
	require.Equal(t, []float32{59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.8598, 87}, table.Features[0])
	require.Equal(t, []float32{36, 1, 19.6, 71, 250, 133.2, 97, 3, 4.5951, 92}, table.Features[441])
	require.Equal(t, []float32{151, 75, 141}, table.Targets[:3])
}

// TestVowels compares counts, lengths and the sum with those of the original table.
func TestVowels(t *testing.T) {
	table, err := Vowels()
	require.NoError(t, err)
	require.Len(t, table.Columns, 12)
	require.Len(t, table.Classes, 9)
	require.Len(t, table.Steps, 640)
	require.Len(t, table.Labels, 640)
	train, test := make([]int, 9), make([]int, 9)
	shortest, longest, steps, total := 99, 0, 0, 0.0
	for i, sequence := range table.Steps {
		shortest, longest, steps = min(shortest, len(sequence)), max(longest, len(sequence)), steps+len(sequence)
		total += sum(sequence)
		for _, step := range sequence {
			require.Len(t, step, 12)
		}
		if i < table.Train {
			train[table.Labels[i]]++
		} else {
			test[table.Labels[i]]++
		}
	}
	require.Equal(t, []int{30, 30, 30, 30, 30, 30, 30, 30, 30}, train)
	require.Equal(t, []int{31, 35, 88, 44, 29, 24, 40, 50, 29}, test)
	require.Equal(t, []int{7, 29, 9961}, []int{shortest, longest, steps})
	require.InDelta(t, -3203.96573, total, 1e-3)
	require.Equal(t, []float32{1.860936, -0.207383, 0.261557}, table.Steps[0][0][:3])
}

func TestSonnets(t *testing.T) {
	sonnets, err := Sonnets()
	require.NoError(t, err)
	require.Len(t, sonnets, 154)
	for i, sonnet := range sonnets {
		lines := 14
		switch i + 1 {
		case 99:
			lines = 15
		case 126:
			lines = 12
		}
		require.Len(t, strings.Split(sonnet, "\n"), lines, i+1)
	}
	require.Contains(t, sonnets[17], "Shall I compare thee to a summer's day?")
	require.True(t, strings.HasPrefix(sonnets[0], "From fairest creatures we desire increase,\nThat thereby"))
	require.True(t, strings.HasSuffix(sonnets[153], "Love's fire heats water, water cools not love."))
}

func TestRowsAreApart(t *testing.T) {
	table, err := Iris()
	require.NoError(t, err)
	_ = append(table.Features[0], 9)
	again, err := Iris()
	require.NoError(t, err)
	require.Equal(t, again, table)
}
