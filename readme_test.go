// Package aegis_test runs what the README shows.
package aegis_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/random"
	"github.com/seed-70b75153/aegis/sequential"
)

// readme is the README's model, word for word; TestReadme holds the two together.
func readme() error {
	x := data.Of([][]float32{{2, 3, 7}, {2.6, 1, 9.8}, {0, 1.6, 7.7}})
	y := data.Of([][]float32{{1, 0}, {0, 1}, {0, 1}})

	random.Seed(42)
	model := sequential.New(
		layers.Linear(3, 8),
		layers.Linear(8, 4),
		layers.Linear(4, 2),
	)
	criterion := losses.CrossEntropy()
	optimizer := optimizers.SGD(model.Parameters(), 0.001)

	prediction := model.Forward(x) // nothing is computed yet
	loss := criterion.Of(prediction.Double(), data.Double(y))
	if err := loss.Backward(); err != nil {
		return err
	}
	fmt.Println(prediction, loss) // PyTorch's own print format
	fmt.Println(model.At(2).Param("weight").Grad())
	err := optimizer.Step()
	return err
}

func Example() {
	if err := readme(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// tensor([[-1.5647,  0.8337],
	//         [-1.5587,  0.8590],
	//         [-1.4173,  0.5540]], grad_fn=<AddmmBackward0>) tensor(0.9004, dtype=torch.float64, grad_fn=<DivBackward1>)
	// tensor([[-0.1794, -0.2538,  0.3878, -0.0339],
	//         [ 0.1794,  0.2538, -0.3878,  0.0339]])
}

// unindented takes the white space at the lines' beginnings off.
func unindented(text string) string {
	return regexp.MustCompile(`(?m)^\s+`).ReplaceAllString(text, "")
}

func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "```go\n")
	require.True(t, found)
	code, _, _ := strings.Cut(rest, "```")
	source, err := os.ReadFile("readme_test.go")
	require.NoError(t, err)
	require.Contains(t, unindented(string(source)), unindented(code), "the README's code is what runs here")
}

// TestReadmeCommands looks for the folders that the README's commands name.
func TestReadmeCommands(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	commands := regexp.MustCompile(`go run (\./\S+?)[\s`+"`"+`]`).FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, commands)
	for _, c := range commands {
		require.DirExists(t, c[1])
	}
}
