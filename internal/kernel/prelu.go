package kernel

import "math"

const (
	// preluChunk is how many elements of a run of one weight are taken at a time, by one thread.
	preluChunk = 8192
	// preluRun is from how many elements such runs are taken as vectors.
	preluRun = 8
)

// preluTask computes chunks of [PReLU], or of its gradient where dx is set.
type preluTask[T Float] struct {
	y, x, weight []T
	dx, dy       []T
	inner        int
	sums         []float64 // of the weight's gradient by chunk
}

// chunks is how many chunks a run has.
func (t *preluTask[T]) chunks() int { return up(t.inner, preluChunk) }

// compute runs all chunks.
func (t *preluTask[T]) compute() {
	pool.run(t, partsOf(len(t.x), grainMemory), len(t.x)/t.inner*t.chunks(), 1)
}

func (t *preluTask[T]) run(_, from, to int) {
	chunks := t.chunks()
	for i := from; i < to; i++ {
		run, first := i/chunks, i%chunks*preluChunk
		weight := t.weight[run%len(t.weight)]
		a, b := run*t.inner+first, run*t.inner+min(first+preluChunk, t.inner)
		if t.dx == nil {
			mapSerial(LeakyReLU, t.y[a:b], t.x[a:b], weight, 0)
		} else {
			t.sums[i] = preluGrad(t.dx[a:b], t.dy[a:b], t.x[a:b], weight)
		}
	}
}

// PReLU computes y, which is x where that is above 0, weight*x elsewhere. x is outer×channels×inner, with a weight a channel.
func PReLU[T Float](y, x, weight []T, inner int) {
	need("y of PReLU", len(y), len(x))
	if len(x) == 0 {
		return
	}
	if inner < preluRun {
		for i, v := range x {
			if !(v > 0) {
				v *= weight[i/inner%len(weight)]
			}
			y[i] = v
		}
		return
	}
	w := borrow[T]()
	t := &w.tasks.prelu
	*t = preluTask[T]{y: y, x: x, weight: weight, inner: inner}
	t.compute()
	*t = preluTask[T]{}
	w.giveBack()
}

// PReLUGrad computes the gradients of [PReLU]. That of the weights is summed in float64 over blocks of some hundred elements; the bits don't
// depend on the threads.
func PReLUGrad[T Float](dx, dweight, dy, x, weight []T, inner int) {
	need("dx of PReLUGrad", len(dx), len(x))
	need("dy of PReLUGrad", len(dy), len(x))
	w := borrow[T]()
	defer w.giveBack()
	channels := len(weight)
	if len(x) == 0 {
		clear(dweight)
		return
	}
	if inner < preluRun {
		sums := w.room(channels)
		clear(sums)
		for i, v := range x {
			c := i / inner % channels
			dx[i] = dy[i]
			if !(v > 0) {
				dx[i] *= weight[c]
				sums[c] += float64(dy[i]) * float64(v)
			}
		}
		for c, s := range sums {
			dweight[c] = T(s)
		}
		return
	}
	t := &w.tasks.prelu
	*t = preluTask[T]{x: x, weight: weight, dx: dx, dy: dy, inner: inner}
	t.sums = w.room(len(x) / inner * t.chunks())
	t.compute()
	each, stride := t.chunks(), channels*t.chunks()
	for c := range dweight {
		sum := 0.0
		for from := c * each; from < len(t.sums); from += stride {
			for _, s := range t.sums[from : from+each] {
				sum += s
			}
		}
		dweight[c] = T(sum)
	}
	*t = preluTask[T]{}
}

// preluGrad computes dx of one weight, and gives the weight's gradient: the sum of dy*x where x isn't above 0.
func preluGrad[T Float](dx, dy, x []T, weight T) (sum float64) {
	w := borrow[T]()
	defer w.giveBack()
	for i := 0; i < len(x); i += runBlock {
		n := min(runBlock, len(x)-i)
		g, z := dy[i:i+n], x[i:i+n]
		low := w.floats(n)
		mapSerial(Clamp, low, z, T(math.Inf(-1)), 0)
		_, product := gradSums(runWay, g, low, nil, 0)
		if product != product { // perhaps of a 0 that stands for an x above 0
			product = 0
			for j, v := range z {
				if !(v > 0) {
					product += float64(g[j]) * float64(v)
				}
			}
		}
		sum += product
		if f := kernelsOf[T]().unaryGrad[LeakyReLU]; f != nil { // it asks whether x is above 0, as whether y is
			f(n, &dx[i], &g[0], &z[0], weight, 0)
		} else {
			for j, v := range z {
				if dx[i+j] = g[j]; !(v > 0) {
					dx[i+j] *= weight
				}
			}
		}
	}
	return sum
}
