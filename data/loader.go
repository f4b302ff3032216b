package data

import (
	"fmt"
	"iter"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/ops"
	"github.com/seed-70b75153/aegis/random"
)

// Loader cuts features and targets into batches: torch.utils.data.DataLoader. It is a plain value, refined by setters that
// give a changed copy.
type Loader struct {
	features, targets *graph.Expr
	batchSize         int
	shuffle, dropLast bool
	generator         *random.Generator
}

// Batch is some rows of the features and the targets.
type Batch struct{ X, Y *graph.Expr }

// NewLoader makes a loader of tensors with as many rows each; the batch size is 1 until BatchSize sets it.
func NewLoader(features, targets *graph.Expr) Loader {
	return Loader{features: features, targets: targets, batchSize: 1}
}

// BatchSize sets the rows of a batch, 1 or more.
func (l Loader) BatchSize(n int) Loader {
	l.batchSize = n
	return l
}

// Shuffle has every epoch in an order of its own, PyTorch's for the same seed.
func (l Loader) Shuffle(on bool) Loader {
	l.shuffle = on
	return l
}

// DropLast leaves out a last batch that is smaller than the others.
func (l Loader) DropLast(on bool) Loader {
	l.dropLast = on
	return l
}

// Generator draws the orders from a generator of its own in place of the default one.
func (l Loader) Generator(g *random.Generator) Loader {
	l.generator = g
	return l
}

// Err says what is wrong with the tensors or the settings.
func (l Loader) Err() error {
	_, err := l.rows()
	return err
}

// rows counts the rows.
func (l Loader) rows() (int, error) {
	if l.batchSize < 1 {
		return 0, &ops.ValueError{What: "batch_size", Got: fmt.Sprint(l.batchSize), Want: "1 or more"}
	}
	x, err := l.features.Array()
	if err != nil {
		return 0, fmt.Errorf("features: %w", err)
	}
	y, err := l.targets.Array()
	if err != nil {
		return 0, fmt.Errorf("targets: %w", err)
	}
	if len(x.Shape) == 0 || len(y.Shape) == 0 || x.Shape[0] != y.Shape[0] {
		return 0, &ops.ShapeError{What: "targets", Got: y.Shape, Note: fmt.Sprintf("as many rows as the features' %s", ops.ShapeString(x.Shape))}
	}
	return x.Shape[0], nil
}

// Len is the number of batches of an epoch; 0 where Err is not nil.
func (l Loader) Len() int {
	n, err := l.rows()
	switch {
	case err != nil:
		return 0
	case l.dropLast:
		return n / l.batchSize
	}
	return (n + l.batchSize - 1) / l.batchSize
}

// Batches is one epoch. With wrong settings its one batch fails, with the error of Err.
//
//	for batch := range loader.Batches() {
//		loss := criterion.Of(model.Forward(batch.X), batch.Y)
func (l Loader) Batches() iter.Seq[Batch] {
	return func(yield func(Batch) bool) {
		n, err := l.rows()
		if err != nil {
			yield(Batch{graph.Failed(err), graph.Failed(err)})
			return
		}
		order := l.order(n)
		for range l.Len() {
			size := min(l.batchSize, len(order))
			if size < l.batchSize {
				l.finish(n)
			}
			if !yield(Batch{take(l.features, order[:size]), take(l.targets, order[:size])}) {
				return
			}
			order = order[size:]
		}
		if n%l.batchSize == 0 || l.dropLast {
			l.finish(n)
		}
	}
}

// Inputs is the features of one epoch's batches.
func (l Loader) Inputs() iter.Seq[*graph.Expr] {
	return func(yield func(x *graph.Expr) bool) {
		for batch := range l.Batches() {
			if !yield(batch.X) {
				return
			}
		}
	}
}

// finish draws what PyTorch's sampler draws from a generator of the loader's own when it comes to its end: one more
// permutation, of which it takes nothing.
func (l Loader) finish(n int) {
	if l.shuffle && l.generator != nil {
		random.Randperm(l.generator, n)
	}
}

// order is the rows' order in the next epoch. It draws what PyTorch draws: a base seed for workers (which there are none
// of), then, without a generator of the loader's own, the seed of the sampler's.
func (l Loader) order(n int) []int64 {
	g := l.generator
	if g == nil {
		g = random.Default()
	}
	g.Uint64() // the base seed
	if !l.shuffle {
		order := make([]int64, n)
		for i := range order {
			order[i] = int64(i)
		}
		return order
	}
	if l.generator == nil {
		g = random.New(g.Uint64() & (1<<63 - 1))
	}
	return random.Randperm(g, n)
}

// take copies rows.
func take(x *graph.Expr, order []int64) *graph.Expr {
	from, err := x.Array()
	if err != nil {
		return graph.Failed(err)
	}
	shape := append(tensor.Shape{len(order)}, from.Shape[1:]...)
	to := ops.NewArray(ops.Operand{Shape: shape, DType: from.DType})
	switch from.DType {
	case tensor.Float32:
		takeRows[float32](&to, from, order)
	case tensor.Float64:
		takeRows[float64](&to, from, order)
	case tensor.Int64:
		takeRows[int64](&to, from, order)
	default:
		takeRows[bool](&to, from, order)
	}
	return graph.FromArray(to)
}

func takeRows[T ops.Element](to, from *ops.Array, order []int64) {
	width := ops.Operand{Shape: from.Shape[1:]}.Size()
	src, dst := ops.Slice[T](from), ops.Slice[T](to)
	for i, row := range order {
		copy(dst[i*width:(i+1)*width], src[int(row)*width:])
	}
}

// Rows copies the rows of x that the indices name: x[indices].
func Rows(x *graph.Expr, indices []int64) *graph.Expr {
	a, err := x.Array()
	if err != nil {
		return graph.Failed(err)
	}
	if len(a.Shape) == 0 {
		return graph.Failed(&ops.ShapeError{What: "tensor", Got: a.Shape, Note: "at least one dim"})
	}
	for at, i := range indices {
		if i < 0 || i >= int64(a.Shape[0]) {
			return graph.Failed(&ops.IndexError{What: "row", Index: i, At: at, Size: a.Shape[0]})
		}
	}
	return take(x, indices)
}
