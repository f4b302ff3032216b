package data_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

func sequence(n int) []int64 {
	s := make([]int64, n)
	for i := range s {
		s[i] = int64(i)
	}
	return s
}

// epoch lists the batches of a loader over 0 to n-1.
func epoch(l data.Loader) string {
	var batches []string
	for b := range l.Batches() {
		v, err := b.X.Floats()
		if err != nil {
			return err.Error()
		}
		batches = append(batches, fmt.Sprint(v))
	}
	return fmt.Sprint(batches)
}

// What PyTorch 2.15 printed for
//
//	torch.manual_seed(42)
//	for n, b, d in ((7, 3, False), (7, 3, True), (4, 2, False)):
//	    loader = DataLoader(TensorDataset(torch.arange(n), torch.arange(n)), batch_size=b, shuffle=True, drop_last=d)
//	    for epoch in range(2): print([x.tolist() for x, _ in loader])
//	loader = DataLoader(TensorDataset(torch.arange(4), torch.arange(4)), batch_size=2)
//	print([x.tolist() for x, _ in loader], torch.rand(1).item())
func TestShuffleIsPyTorchs(t *testing.T) {
	random.Seed(42)
	for _, c := range []struct {
		rows, batch int
		drop        bool
		want        [2]string
	}{
		{7, 3, false, [2]string{"[[1 2 3] [6 4 5] [0]]", "[[4 6 1] [2 0 3] [5]]"}},
		{7, 3, true, [2]string{"[[5 2 6] [0 1 4]]", "[[3 0 5] [2 1 6]]"}},
		{4, 2, false, [2]string{"[[1 3] [2 0]]", "[[0 2] [3 1]]"}},
	} {
		x := data.Of(sequence(c.rows))
		l := data.NewLoader(x, x).BatchSize(c.batch).DropLast(c.drop).Shuffle(true)
		for _, want := range c.want {
			require.Equal(t, want, epoch(l))
		}
	}
	x := data.Of(sequence(4))
	require.Equal(t, "[[0 1] [2 3]]", epoch(data.NewLoader(x, x).BatchSize(2)))
	next := make([]float32, 1)
	random.Uniform(random.Default(), next, 0, 1)
	require.Equal(t, float32(0.3588126301765442), next[0], "the epochs drew as many numbers as PyTorch's")

	x = data.Of(sequence(6))
	own := data.NewLoader(x, x).BatchSize(2).Shuffle(true).Generator(random.New(3))
	require.Equal(t, "[[1 3] [2 0] [4 5]]", epoch(own))
	require.Equal(t, "[[0 5] [1 3] [4 2]]", epoch(own))
}

func TestLoaderErrors(t *testing.T) {
	x, y := data.Of(sequence(4)), data.Of(sequence(3))
	var shape *ops.ShapeError
	require.ErrorAs(t, data.NewLoader(x, y).Err(), &shape)
	var value *ops.ValueError
	bad := data.NewLoader(x, x).BatchSize(0)
	require.ErrorAs(t, bad.Err(), &value)
	require.Equal(t, "batch_size is 0, want 1 or more", epoch(bad))
	require.Zero(t, bad.Len())
	require.Error(t, data.NewLoader(nil, x).Err())
	empty := data.Of([][2]float32{})
	require.Equal(t, "[]", epoch(data.NewLoader(empty, empty).BatchSize(3)))
}

func TestArange(t *testing.T) {
	require.Equal(t, "tensor([0, 1, 2])", fmt.Sprint(data.Arange(3)))
	require.Equal(t, "tensor([], dtype=torch.int64)", fmt.Sprint(data.Arange(0)))
	var value *ops.ValueError
	require.ErrorAs(t, data.Arange(-1).Err(), &value)
}

func TestLabels(t *testing.T) {
	require.Equal(t, "tensor([[1, 0, 0],\n        [0, 0, 1]])", data.OneHot(data.Of([]int64{0, 2}), 3).String())
	require.Equal(t, "tensor([0, 1, 0])", data.OneHot(data.Of(1), 3).String())
	require.Equal(t, "<label 3 at position 0 out of range, want 0 to 2>", data.OneHot(data.Of(3), 3).String())
	scores := data.Of([][]float32{{1, 5, 5}, {3, 2, 1}})
	require.Equal(t, "tensor([1, 0])", data.ArgMax(scores, 1).String())
	require.Equal(t, "tensor([1, 0, 0])", data.ArgMax(scores, -2).String())
	require.Error(t, data.ArgMax(scores, 2).Err())
	require.Equal(t, "tensor([[False,  True,  True],\n        [ True, False, False]])", data.Threshold(scores, 2.5).String())
	require.Equal(t, "tensor([[5., 5.]])", data.Rows(data.Of([][]float32{{1, 2}, {5, 5}}), []int64{1}).String())
}

func ExampleOf() {
	fmt.Println(data.Of([][]float64{{1, 2.5}, {-3, 4}}))
	fmt.Println(data.Of([][]float32{{1, 2}, {3}}))
	// Output:
	// tensor([[ 1.0000,  2.5000],
	//         [-3.0000,  4.0000]], dtype=torch.float64)
	// <data.Of: row (1,), want (2,)>
}

func ExampleLoader_Inputs() {
	loader := data.NewLoader(data.Of([]float32{1, 2, 3}), data.Of([]float32{0, 0, 0})).BatchSize(2)
	for x := range loader.Inputs() {
		fmt.Println(x)
	}
	// Output:
	// tensor([1., 2.])
	// tensor([3.])
}
