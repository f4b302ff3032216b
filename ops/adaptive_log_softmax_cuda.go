//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

// On a GPU every tail is computed for all rows: which rows have a target in it is data, and a plan's sizes are not.

var adaptiveSource = cuda.NewSource("adaptive_log_softmax", `
extern "C" __global__ void add_bias(T *y, const T *bias, i64 rows, i64 n) { EACH(i, rows * n) y[i] += bias[i % n]; }

extern "C" __global__ void add(T *y, const T *x, i64 n) { EACH(i, n) y[i] += x[i]; }

// Where a row's target, or each class where there are no targets, is in the head.
extern "C" __global__ void pick_head(T *y, const T *head, const i64 *target, int all, i64 rows, i64 size, i64 short_, i64 classes,
	Status *status, i64 check) {
	if (all) {
		EACH(i, rows * short_) y[i / short_ * classes + i % short_] = head[i / short_ * size + i % short_];
		return;
	}
	EACH(r, rows) {
		if (target[r] < 0 || target[r] >= classes)
			fail(status, check, r, (double)target[r]);
		y[r] = target[r] >= 0 && target[r] < short_ ? head[r * size + target[r]] : T(0);
	}
}

// Where it is in a tail, which the head's column leads to.
extern "C" __global__ void pick_tail(T *y, const T *head, const T *tail, const i64 *target, int all, i64 rows, i64 size, i64 column,
	i64 low, i64 n, i64 classes) {
	if (all) {
		EACH(i, rows * n) y[i / n * classes + low + i % n] = tail[i] + head[i / n * size + column];
		return;
	}
	EACH(r, rows) {
		i64 c = target[r] - low;
		if (c >= 0 && c < n)
			y[r] = head[r * size + column] + tail[r * n + c];
	}
}

// dy of a tail's log-probabilities, and of the head's column that leads to it.
extern "C" __global__ void spread_tail(T *dtail, T *dhead, const T *dy, const i64 *target, int all, i64 rows, i64 size, i64 column,
	i64 low, i64 n, i64 classes) {
	ROWS(r, rows) {
		T sum = 0;
		ALONG(c, n) {
			T d = all ? dy[r * classes + low + c] : target[r] - low == c ? dy[r] : T(0);
			dtail[r * n + c] = d;
			sum += d;
		}
		sum = block_sum(sum);
		if (threadIdx.x == 0)
			dhead[r * size + column] = sum;
	}
}

// dy of the head's own classes.
extern "C" __global__ void spread_head(T *dhead, const T *dy, const i64 *target, int all, i64 rows, i64 size, i64 short_, i64 classes) {
	EACH(i, rows * short_) {
		i64 r = i / short_, c = i % short_;
		dhead[r * size + c] = all ? dy[r * classes + c] : target[r] == c ? dy[r] : T(0);
	}
}
`)

// adaptiveLaunch is the inputs while the kernels are planned. The first mistake is kept.
type adaptiveLaunch struct {
	*Launches
	adaptiveInputs[Remote]
	all                                  bool
	real                                 cuda.Type
	rows, features, size, short, classes int
	err                                  error
}

func startAdaptiveLaunch(to *Launches, d adaptiveLogSoftmax, in []Remote) *adaptiveLaunch {
	l := &adaptiveLaunch{Launches: to, adaptiveInputs: adaptiveOf(d, in), all: d.All}
	l.real = l.x.real()
	l.size, l.features = l.head.Shape[0], l.head.Shape[1]
	l.rows = size(l.x.Shape[:len(l.x.Shape)-1])
	l.short = l.size - len(l.tails)/2
	l.classes = l.short
	for i := 1; i < len(l.tails); i += 2 {
		l.classes += l.tails[i].Shape[0]
	}
	if d.All {
		l.target = l.x // stands for one that is not read
	}
	return l
}

func (l *adaptiveLaunch) scratch(n int) (at *cuda.Place) {
	if l.err == nil {
		at, l.err = l.Scratch(max(n, 1), l.real)
	}
	return at
}

func (l *adaptiveLaunch) kernel(source *cuda.Source, name string, shape cuda.Shape, args ...any) {
	if l.err == nil {
		l.err = l.Launch(source.Kernel(name, l.real), shape, args...)
	}
}

func (l *adaptiveLaunch) product(layout cuda.Layout, m, n, k int, a, b, c *cuda.Place) {
	if l.err == nil {
		l.err = l.Product(layout, l.real, m, n, k, a, b, c)
	}
}

// logs is the log-softmax of scores x·weightᵀ.
func (l *adaptiveLaunch) logs(x, weight, bias *cuda.Place, n, k int) *cuda.Place {
	y := l.scratch(l.rows * n)
	l.product(cuda.NT, l.rows, n, k, x, weight, y)
	if bias != nil {
		l.kernel(adaptiveSource, "add_bias", cuda.Elements(l.rows*n), y, bias, l.rows, n)
	}
	l.kernel(softmaxSource, "forward", cuda.Rows(l.rows, n), y, y, l.rows, n, 1, true)
	return y
}

// eachTail calls f with a tail's number, its first class and its sizes, what it projects the rows to, and its log-probabilities.
func (l *adaptiveLaunch) eachTail(f func(tail, low, n, hidden int, projected, logs *cuda.Place)) {
	low := l.short
	for t := 0; t < len(l.tails)/2 && l.err == nil; t++ {
		scores := l.tails[2*t+1]
		n, hidden := scores.Shape[0], scores.Shape[1]
		projected := l.scratch(l.rows * hidden)
		l.product(cuda.NT, l.rows, hidden, l.features, l.x.At, l.tails[2*t].At, projected)
		f(t, low, n, hidden, projected, l.logs(projected, scores.At, nil, n, hidden))
		low += n
	}
}

func (d adaptiveLogSoftmax) Launch(to *Launches, in, out []Remote) error {
	l := startAdaptiveLaunch(to, d, in)
	y, target := out[0].At, l.target.At
	head := l.logs(l.x.At, l.head.At, l.bias.At, l.size, l.features)
	check := 0
	if !l.all {
		check = to.indexCheck(l.classes)
	}
	l.kernel(adaptiveSource, "pick_head", cuda.Elements(out[0].Size()), y, head, target, l.all, l.rows, l.size, l.short, l.classes, to.Status, check)
	l.eachTail(func(tail, low, n, _ int, _, logs *cuda.Place) {
		l.kernel(adaptiveSource, "pick_tail", cuda.Elements(l.rows*n), y, head, logs, target, l.all, l.rows, l.size, l.short+tail, low, n, l.classes)
	})
	return l.err
}

func (g adaptiveGradient) Launch(to *Launches, in, out []Remote) error {
	last := len(in) - 1
	l := startAdaptiveLaunch(to, g.softmax, in[:last])
	into := adaptiveOf(adaptiveLogSoftmax{HasBias: g.softmax.HasBias, All: true}, out)
	dy, target := in[last].At, l.target.At
	rows, features := l.rows, l.features
	head := l.logs(l.x.At, l.head.At, l.bias.At, l.size, features)
	dhead, dx := l.scratch(rows*l.size), l.scratch(rows*features)
	l.kernel(adaptiveSource, "spread_head", cuda.Elements(rows*l.short), dhead, dy, target, l.all, rows, l.size, l.short, l.classes)
	to.Zero(into.x.At, into.x.bytes())
	add := func() { l.kernel(adaptiveSource, "add", cuda.Elements(rows*features), into.x.At, dx, rows*features) }
	l.eachTail(func(tail, low, n, hidden int, projected, logs *cuda.Place) {
		dlogs, dprojected := l.scratch(rows*n), l.scratch(rows*hidden)
		l.kernel(adaptiveSource, "spread_tail", cuda.Rows(rows, n), dlogs, dhead, dy, target, l.all, rows, l.size, l.short+tail, low, n, l.classes)
		l.kernel(softmaxSource, "backward", cuda.Rows(rows, n), dlogs, dlogs, logs, rows, n, 1, true)
		l.product(cuda.TN, n, hidden, rows, dlogs, projected, into.tails[2*tail+1].At)
		l.product(cuda.NN, rows, hidden, n, dlogs, l.tails[2*tail+1].At, dprojected)
		l.product(cuda.TN, hidden, features, rows, dprojected, l.x.At, into.tails[2*tail].At)
		l.product(cuda.NN, rows, features, hidden, dprojected, l.tails[2*tail].At, dx)
		add()
	})
	l.kernel(softmaxSource, "backward", cuda.Rows(rows, l.size), dhead, dhead, head, rows, l.size, 1, true)
	l.product(cuda.TN, l.size, features, rows, dhead, l.x.At, into.head.At)
	if g.softmax.HasBias && l.err == nil {
		l.err = to.sum(into.bias.At, dhead, l.real, 1, rows, l.size, 1)
	}
	l.product(cuda.NN, rows, features, l.size, dhead, l.head.At, dx)
	add()
	return l.err
}
