package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
)

// split keeps every tenth sonnet for the test.
func split(sonnets []string) (train, test string) {
	var parts [2]strings.Builder
	for i, sonnet := range sonnets {
		part := &parts[0]
		if i%10 == 9 {
			part = &parts[1]
		}
		part.WriteString(sonnet + "\n\n")
	}
	return parts[0].String(), parts[1].String()
}

// alphabet is the characters of a text, each once, in order.
type alphabet []byte

func alphabetOf(text string) alphabet {
	all := []byte(text)
	slices.Sort(all)
	return slices.Compact(all)
}

// indices are the places of a text's characters in the alphabet.
func (a alphabet) indices(text string) ([]int64, error) {
	found := make([]int64, len(text))
	for i := range found {
		at, ok := slices.BinarySearch(a, text[i])
		if !ok {
			return nil, fmt.Errorf("the sonnets have no %q", text[i])
		}
		found[i] = int64(at)
	}
	return found, nil
}

// windows cuts a text into pieces x, and y, which for each character of x is the one after it.
func (a alphabet) windows(text string) (x, y *graph.Expr, err error) {
	all, err := a.indices(text)
	if err != nil {
		return nil, nil, err
	}
	n := (len(all) - 1) / steps
	return data.Of(all[:n*steps]).Reshape(n, steps), data.Of(all[1:n*steps+1]).Reshape(n, steps), nil
}

// mostFrequent is the share of a test's characters that are what most often, and first of equals in the alphabet, follows the two
// characters before them in a training text.
func mostFrequent(train, test string) float64 {
	counts := map[string]*[256]int{}
	for i := range len(train) - 2 {
		before := train[i : i+2]
		if counts[before] == nil {
			counts[before] = new([256]int)
		}
		counts[before][train[i+2]]++
	}
	right := 0
	for i := range len(test) - 2 {
		if followers := counts[test[i:i+2]]; followers != nil && int(test[i+2]) == slices.Index(followers[:], slices.Max(followers[:])) {
			right++
		}
	}
	return float64(right) / float64(len(test)-2)
}
