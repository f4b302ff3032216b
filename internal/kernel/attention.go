package kernel

import "math"

// Rows are matrices that lie somewhere in an array: row i of head h of batch b begins at b*Batch + h*Head + i*Row.
type Rows[T Float] struct {
	Data             []T
	Batch, Head, Row int
}

// of is the matrix of one batch and head. One without rows may begin beyond the end.
func (r Rows[T]) of(batch, head int) []T {
	return r.Data[min(batch*r.Batch+head*r.Head, len(r.Data)):]
}

// Attention is scaled dot-product attention: softmax(scale·q·kᵀ + mask)·v for each batch and head, computed block by block,
// so that the weights of all queries by all keys never stand in memory. Value's head h is key's; where there are fewer of
// them than of the query's, each serves a run of the query's heads.
type Attention[T Float] struct {
	Batch, Heads, KeyHeads int
	Queries, Keys          int
	Size, ValueSize        int // of a row of q and k, and of v
	Scale                  T
	Causal                 bool // query i sees the keys 0 to i
	// Mask is added to the products of queries and keys, its column j being key j's; keys beyond its columns are seen by
	// all. Padding is alike, a row of it for all queries of a batch. Data may be nil.
	Mask           Rows[T]
	MaskColumns    int
	Padding        Rows[T]
	PaddingColumns int
	// Drop multiplies weights by what dropout makes of them, where it is not nil: those of consecutive keys for one query,
	// numbered through all batches, heads, queries and keys.
	Drop func(weights []T, first int)
}

// How many queries and keys are taken at a time.
const (
	queryBlock = 64
	keyBlock   = 256
)

// group is how many query heads a key head serves.
func (a *Attention[T]) group() int { return a.Heads / max(a.KeyHeads, 1) }

// parts is into how many parts the heads of all batches are cut.
func (a *Attention[T]) parts(heads int) int {
	return min(heads, partsOf(a.Batch*a.Heads*a.Queries*a.Keys*(a.Size+a.ValueSize), grainProduct))
}

// keysFor is how many keys the queries before one can see.
func (a *Attention[T]) keysFor(queries int) int {
	if a.Causal {
		return min(a.Keys, queries)
	}
	return a.Keys
}

// scores computes scale·q·kᵀ + mask for a block of queries and keys, into rows of width keys. The products are scaled, not
// the queries: so does PyTorch where it computes block by block.
func (a *Attention[T]) scores(s []T, q, k Rows[T], batch, head, i0, i1, j0, j1 int) {
	rows, width := i1-i0, j1-j0
	Gemm(NT, rows, width, a.Size, q.of(batch, head)[i0*q.Row:], q.Row, k.of(batch, head/a.group())[j0*k.Row:], k.Row, s, width, false, Epilogue[T]{})
	zipScalarSerial(Mul, s[:rows*width], s[:rows*width], a.Scale)
	a.hide(s, batch, head, i0, i1, j0, j1)
}

// hide adds the masks to a block of scores.
func (a *Attention[T]) hide(s []T, batch, head, i0, i1, j0, j1 int) {
	rows, width := i1-i0, j1-j0
	for i := range rows {
		row := s[i*width : (i+1)*width]
		if n := min(width, a.MaskColumns-j0); n > 0 {
			zipSerial(Add, row[:n], row[:n], a.Mask.of(batch, head)[(i0+i)*a.Mask.Row+j0:][:n])
		}
		if n := min(width, a.PaddingColumns-j0); n > 0 {
			zipSerial(Add, row[:n], row[:n], a.Padding.of(batch, head)[j0:][:n])
		}
		if a.Causal {
			for j := max(0, i0+i+1-j0); j < width; j++ {
				row[j] = T(math.Inf(-1))
			}
		}
	}
}

// Forward computes out, and for every query of every batch and head the maximum of its products and the sum of the
// exponentials of what they are less: exact where the logarithm of the whole sum would not be.
func (a *Attention[T]) Forward(out Rows[T], sums []T, q, k, v Rows[T]) {
	heads, w := a.Batch*a.Heads, borrow[T]()
	inParts(&w.tasks.attention, attentionTask[T]{*a, out, q, k, v, sums}, a.parts(heads), heads, 1)
	w.giveBack()
}

// attentionTask is an [Attention.Forward].
type attentionTask[T Float] struct {
	a            Attention[T]
	out, q, k, v Rows[T]
	sums         []T
}

func (t *attentionTask[T]) run(_, from, to int) {
	w := borrow[T]()
	defer w.giveBack()
	for x := from; x < to; x++ {
		for i := 0; i < t.a.Queries; i += queryBlock {
			t.a.queries(w, t.out, t.sums, t.q, t.k, t.v, x/t.a.Heads, x%t.a.Heads, i, min(i+queryBlock, t.a.Queries))
		}
	}
}

// queries computes a block of queries, key block by key block: what was summed is scaled as the maximum grows.
func (a *Attention[T]) queries(w *workspace[T], out Rows[T], sums []T, q, k, v Rows[T], batch, head, i0, i1 int) {
	rows, keys := i1-i0, a.keysFor(i1)
	block := min(max(keys, 1), keyBlock)
	all := w.floats(rows*block + 2*rows)
	s, most, sum := all[:rows*block], all[rows*block:][:rows], all[rows*block+rows:][:rows]
	o := out.of(batch, head)[i0*out.Row:]
	for i := range rows {
		most[i], sum[i] = T(math.Inf(-1)), 0
		clear(o[i*out.Row : i*out.Row+a.ValueSize])
	}
	for j0 := 0; j0 < keys; j0 += block {
		j1 := min(j0+block, keys)
		width := j1 - j0
		a.scores(s, q, k, batch, head, i0, i1, j0, j1)
		for i := range rows {
			row := s[i*width : (i+1)*width]
			high, part := expRow(row, row)
			switch {
			case math.IsInf(float64(high), -1): // nothing is seen
				clear(row)
			case high > most[i]:
				if j0 > 0 {
					factor := exp(most[i] - high)
					scaleOrClear(o[i*out.Row:i*out.Row+a.ValueSize], factor)
					sum[i] *= factor
				}
				most[i], sum[i] = high, part+sum[i]
			default:
				factor := exp(high - most[i])
				scaleOrClear(row, factor)
				sum[i] += factor * part
			}
			if a.Drop != nil {
				a.Drop(row, ((batch*a.Heads+head)*a.Queries+i0+i)*a.Keys+j0)
			}
		}
		Gemm(NN, rows, a.ValueSize, width, s, width, v.of(batch, head/a.group())[j0*v.Row:], v.Row, o, out.Row, true, Epilogue[T]{})
	}
	for i := range rows {
		row := o[i*out.Row : i*out.Row+a.ValueSize]
		if sum[i] == 0 { // nothing is seen
			clear(row)
		} else {
			zipScalarSerial(Mul, row, row, 1/sum[i])
		}
		at := 2 * ((batch*a.Heads+head)*a.Queries + i0 + i)
		sums[at], sums[at+1] = most[i], sum[i]
	}
}

// scaleOrClear multiplies by a factor; 0 clears, whatever is there.
func scaleOrClear[T Float](x []T, factor T) {
	if factor == 0 {
		clear(x)
		return
	}
	zipScalarSerial(Mul, x, x, factor)
}

// weights turns scores into weights by the maximum and the sum that Forward found. PyTorch keeps the logarithm of the whole
// sum, and its rounding is seen in its gradients.
func (a *Attention[T]) weights(row []T, most, sum T) {
	if sum == 0 {
		clear(row)
		return
	}
	zipScalarSerial(Sub, row, row, most+log(sum))
	mapSerial(Exp, row, row, 0, 0)
}

// AttentionGradient is the gradients of q, k and v. Those of queries, keys and values without a gradient are zero.
type AttentionGradient[T Float] struct{ Q, K, V Rows[T] }

// Backward computes the gradients from those of out, by computing the weights again.
func (a *Attention[T]) Backward(d AttentionGradient[T], dout, out Rows[T], sums []T, q, k, v Rows[T]) {
	pairs := a.Batch * a.KeyHeads
	parallel(a.parts(pairs), pairs, 1, func(from, to int) {
		w := borrow[T]()
		defer w.giveBack()
		for x := from; x < to; x++ {
			batch, head := x/a.KeyHeads, x%a.KeyHeads
			ClearRows(d.K, batch, head, a.Keys, a.Size)
			ClearRows(d.V, batch, head, a.Keys, a.ValueSize)
			for h := head * a.group(); h < (head+1)*a.group(); h++ {
				ClearRows(d.Q, batch, h, a.Queries, a.Size)
				for i := 0; i < a.Queries; i += queryBlock {
					a.queriesBack(w, d, dout, out, sums, q, k, v, batch, h, i, min(i+queryBlock, a.Queries))
				}
				a.scaleRows(d.Q, batch, h, a.Queries)
			}
			a.scaleRows(d.K, batch, head, a.Keys)
		}
	})
}

// scaleRows multiplies rows by the scale: the products and not their factors, as PyTorch does.
func (a *Attention[T]) scaleRows(r Rows[T], batch, head, rows int) {
	x := r.of(batch, head)
	for i := range rows {
		row := x[i*r.Row : i*r.Row+a.Size]
		zipScalarSerial(Mul, row, row, a.Scale)
	}
}

// ClearRows sets rows of n numbers to zero.
func ClearRows[T Float](r Rows[T], batch, head, rows, n int) {
	x := r.of(batch, head)
	for i := range rows {
		clear(x[i*r.Row : i*r.Row+n])
	}
}

func (a *Attention[T]) queriesBack(w *workspace[T], d AttentionGradient[T], dout, out Rows[T], sums []T, q, k, v Rows[T], batch, head, i0, i1 int) {
	rows, keys, keyHead := i1-i0, a.keysFor(i1), head/a.group()
	block := min(max(keys, 1), keyBlock)
	all := w.floats(3*rows*block + rows)
	s, ds, dropped, delta := all[:rows*block], all[rows*block:2*rows*block], all[2*rows*block:3*rows*block], all[3*rows*block:]
	do, o := dout.of(batch, head)[i0*dout.Row:], out.of(batch, head)[i0*out.Row:]
	for i := range rows {
		x, y := do[i*dout.Row:i*dout.Row+a.ValueSize], o[i*out.Row:i*out.Row+a.ValueSize]
		delta[i] = addUp(a.ValueSize, 1, func(j int) T { return rounded(x[j] * y[j]) })
	}
	for j0 := 0; j0 < keys; j0 += block {
		j1 := min(j0+block, keys)
		width := j1 - j0
		a.scores(s, q, k, batch, head, i0, i1, j0, j1)
		for i := range rows {
			at := 2 * ((batch*a.Heads+head)*a.Queries + i0 + i)
			a.weights(s[i*width:(i+1)*width], sums[at], sums[at+1])
		}
		p := s
		if a.Drop != nil {
			p = dropped[:rows*width]
			copy(p, s)
			for i := range rows {
				a.Drop(p[i*width:(i+1)*width], ((batch*a.Heads+head)*a.Queries+i0+i)*a.Keys+j0)
			}
		}
		Gemm(TN, width, a.ValueSize, rows, p, width, do, dout.Row, d.V.of(batch, keyHead)[j0*d.V.Row:], d.V.Row, true, Epilogue[T]{})
		Gemm(NT, rows, width, a.ValueSize, do, dout.Row, v.of(batch, keyHead)[j0*v.Row:], v.Row, ds, width, false, Epilogue[T]{})
		for i := range rows {
			g, row := ds[i*width:(i+1)*width], s[i*width:(i+1)*width]
			if a.Drop != nil {
				a.Drop(g, ((batch*a.Heads+head)*a.Queries+i0+i)*a.Keys+j0)
			}
			zipScalarSerial(Sub, g, g, delta[i])
			zipSerial(Mul, g, g, row)
		}
		a.products(d, ds, q, k, batch, head, i0, i1, j0, j1)
	}
}

// products adds to the gradients of q and k what those of a block's products give.
func (a *Attention[T]) products(d AttentionGradient[T], ds []T, q, k Rows[T], batch, head, i0, i1, j0, j1 int) {
	rows, width, keyHead := i1-i0, j1-j0, head/a.group()
	Gemm(NN, rows, a.Size, width, ds, width, k.of(batch, keyHead)[j0*k.Row:], k.Row, d.Q.of(batch, head)[i0*d.Q.Row:], d.Q.Row, true, Epilogue[T]{})
	Gemm(TN, width, a.Size, rows, ds, width, q.of(batch, head)[i0*q.Row:], q.Row, d.K.of(batch, keyHead)[j0*d.K.Row:], d.K.Row, true, Epilogue[T]{})
}

// scaled copies the queries of one head, multiplied by scale: a matrix of its own.
func (a *Attention[T]) scaled(dst []T, q Rows[T], batch, head int) Rows[T] {
	x := q.of(batch, head)
	for i := range a.Queries {
		zipScalarSerial(Mul, dst[i*a.Size:(i+1)*a.Size], x[i*q.Row:i*q.Row+a.Size], a.Scale)
	}
	return Rows[T]{Data: dst, Row: a.Size}
}

// Weights computes the weights themselves: batch×heads×queries×keys, NaN for a query that sees no key. Here the queries are
// scaled, as PyTorch does where it has the weights in memory.
func (a *Attention[T]) Weights(weights []T, q, k Rows[T]) {
	heads, matrix := a.Batch*a.Heads, a.Queries*a.Keys
	parallel(a.parts(heads), heads, 1, func(from, to int) {
		w := borrow[T]()
		defer w.giveBack()
		for x := from; x < to; x++ {
			batch, head := x/a.Heads, x%a.Heads
			s := weights[x*matrix : (x+1)*matrix]
			own := a.scaled(w.floats(a.Queries*a.Size), q, batch, head)
			Gemm(NT, a.Queries, a.Keys, a.Size, own.Data, own.Row, k.of(batch, head/a.group()), k.Row, s, a.Keys, false, Epilogue[T]{})
			a.hide(s, batch, head, 0, a.Queries, 0, a.Keys)
			for i := range a.Queries {
				row := s[i*a.Keys : (i+1)*a.Keys]
				_, sum := expRow(row, row)
				zipScalarSerial(Mul, row, row, 1/sum)
			}
		}
	})
}

// WeightsBackward computes the gradients of q and k from those of the weights.
func (a *Attention[T]) WeightsBackward(d AttentionGradient[T], dweights, weights []T, q, k Rows[T]) {
	pairs, matrix := a.Batch*a.KeyHeads, a.Queries*a.Keys
	parallel(a.parts(pairs), pairs, 1, func(from, to int) {
		w := borrow[T]()
		defer w.giveBack()
		all := w.floats(matrix + a.Queries*a.Size)
		ds, room := all[:matrix], all[matrix:]
		for x := from; x < to; x++ {
			batch, head := x/a.KeyHeads, x%a.KeyHeads
			ClearRows(d.K, batch, head, a.Keys, a.Size)
			for h := head * a.group(); h < (head+1)*a.group(); h++ {
				ClearRows(d.Q, batch, h, a.Queries, a.Size)
				at := (batch*a.Heads + h) * matrix
				for i := range a.Queries {
					row := at + i*a.Keys
					SoftmaxGrad(ds[i*a.Keys:(i+1)*a.Keys], dweights[row:row+a.Keys], weights[row:row+a.Keys], 1, a.Keys, 1)
				}
				own := a.scaled(room, q, batch, h)
				Gemm(TN, a.Keys, a.Size, a.Queries, ds, a.Keys, own.Data, own.Row, d.K.of(batch, head), d.K.Row, true, Epilogue[T]{})
				Gemm(NN, a.Queries, a.Size, a.Keys, ds, a.Keys, k.of(batch, head), k.Row, d.Q.of(batch, h), d.Q.Row, true, Epilogue[T]{})
				a.scaleRows(d.Q, batch, h, a.Queries)
			}
		}
	})
}

// Values computes weights·v.
func (a *Attention[T]) Values(out Rows[T], weights []T, v Rows[T]) {
	heads, matrix := a.Batch*a.Heads, a.Queries*a.Keys
	parallel(a.parts(heads), heads, 1, func(from, to int) {
		for x := from; x < to; x++ {
			batch, head := x/a.Heads, x%a.Heads
			Gemm(NN, a.Queries, a.ValueSize, a.Keys, weights[x*matrix:], a.Keys, v.of(batch, head/a.group()), v.Row, out.of(batch, head), out.Row, false, Epilogue[T]{})
		}
	})
}

// ValuesBackward computes the gradients of the weights and of v.
func (a *Attention[T]) ValuesBackward(dweights []T, dv, dout Rows[T], weights []T, v Rows[T]) {
	pairs, matrix := a.Batch*a.KeyHeads, a.Queries*a.Keys
	parallel(a.parts(pairs), pairs, 1, func(from, to int) {
		for x := from; x < to; x++ {
			batch, keyHead := x/a.KeyHeads, x%a.KeyHeads
			for head := keyHead * a.group(); head < (keyHead+1)*a.group(); head++ {
				at, add := (batch*a.Heads+head)*matrix, head%a.group() > 0
				do := dout.of(batch, head)
				Gemm(NT, a.Queries, a.Keys, a.ValueSize, do, dout.Row, v.of(batch, keyHead), v.Row, dweights[at:], a.Keys, false, Epilogue[T]{})
				Gemm(TN, a.Keys, a.ValueSize, a.Queries, weights[at:], a.Keys, do, dout.Row, dv.of(batch, keyHead), dv.Row, add, Epilogue[T]{})
			}
		}
	})
}
