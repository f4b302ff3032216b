//go:build gpu

package ops

import "github.com/seed-70b75153/aegis/cuda"

var ctcSource = cuda.NewSource("ctc_loss", `
__device__ inline T log_sum(T a, T b, T c) {
	T most = larger(larger(a, b), c);
	return most == -infinity() ? most : most + log(exp(a - most) + exp(b - most) + exp(c - most));
}

// The state's label: blanks stand between those of the target.
__device__ inline i64 label_of(const i64 *labels, i64 state, i64 blank) { return state % 2 ? labels[state / 2] : blank; }

// Says whether no state before has the label.
__device__ inline bool is_first(const i64 *labels, i64 state, i64 blank) {
	i64 label = label_of(labels, state, blank);
	for (i64 s = 0; s < state; s++)
		if (label_of(labels, s, blank) == label)
			return false;
	return true;
}

// Each block has one sample, its threads the states. parts are the losses as they go into the reduction, with the gradient
// divided likewise.
extern "C" __global__ void losses(T *losses, T *parts, T *gradient, T *alphas, T *betas, const T *p, const i64 *targets,
	const i64 *inputLengths, const i64 *targetLengths, i64 steps, i64 batch, i64 classes, i64 blank, i64 stride, i64 total,
	int zero, int mean, Status *status, i64 checkInputs, i64 checkTargets, i64 checkLabels, i64 checkTotal) {
	ROWS(b, batch) {
		ALONG(i, steps * classes) gradient[(i / classes * batch + b) * classes + i % classes] = 0;
		__syncthreads();
		i64 start = 0, all = 0, length = targetLengths[b], last = inputLengths[b] - 1;
		bool wrong = false;
		for (i64 i = 0; i < batch; i++) {
			if (targetLengths[i] < 0 || targetLengths[i] > (stride ? stride : total)) {
				wrong = true;
				fail(status, checkTargets, i, (double)targetLengths[i]);
			}
			if (i == b)
				start = stride ? b * stride : all;
			all += targetLengths[i];
		}
		if (!stride && all != total) {
			wrong = true;
			fail(status, checkTotal, 0, (double)all);
		}
		if (last < -1 || last >= steps) {
			wrong = true;
			fail(status, checkInputs, b, (double)inputLengths[b]);
		}
		const i64 *labels = targets + start;
		for (i64 i = 0; i < length && !wrong; i++)
			if (labels[i] < 0 || labels[i] >= classes) {
				wrong = true;
				fail(status, checkLabels, start + i, (double)labels[i]);
			}
		if (wrong) {
			if (threadIdx.x == 0)
				losses[b] = parts[b] = 0;
			continue;
		}
		i64 n = 2 * length + 1;
		T *alpha = alphas + steps * (2 * start + b), *beta = betas + 2 * (2 * start + b);
		for (i64 t = 0; t <= last; t++) {
			const T *row = p + (t * batch + b) * classes, *before = alpha + (t - 1) * n;
			ALONG(s, n) {
				i64 label = label_of(labels, s, blank);
				T sum = s > 1 ? -infinity() : T(0);
				if (t > 0)
					sum = log_sum(before[s], s > 0 ? before[s - 1] : -infinity(),
						s > 1 && label != label_of(labels, s - 2, blank) ? before[s - 2] : -infinity());
				alpha[t * n + s] = sum + row[label];
			}
			__syncthreads();
		}
		T loss = n == 1 ? T(0) : infinity();
		if (last >= 0) {
			const T *end = alpha + last * n;
			loss = n == 1 ? -end[0] : -log_sum(end[n - 1], end[n - 2], -infinity());
		}
		bool none = zero && loss == infinity();
		if (none)
			loss = 0;
		T divisor = mean ? T(batch) * T(length > 1 ? length : 1) : T(1);
		if (threadIdx.x == 0) {
			losses[b] = loss;
			parts[b] = loss / divisor;
		}
		for (i64 t = last; t >= 0 && !none; t--) {
			const T *row = p + (t * batch + b) * classes;
			T *g = gradient + (t * batch + b) * classes, *now = beta + t % 2 * n, *next = beta + (t + 1) % 2 * n;
			ALONG(s, n) {
				i64 label = label_of(labels, s, blank);
				T sum = s < n - 2 ? -infinity() : T(0);
				if (t < last)
					sum = log_sum(next[s], s < n - 1 ? next[s + 1] : -infinity(),
						s < n - 2 && label != label_of(labels, s + 2, blank) ? next[s + 2] : -infinity());
				now[s] = sum + row[label];
			}
			ALONG(c, classes) g[c] = (exp(row[c]) - exp(-infinity() + loss - row[c])) / divisor;
			__syncthreads();
			ALONG(s, n) {
				if (!is_first(labels, s, blank))
					continue;
				i64 label = label_of(labels, s, blank);
				T sum = -infinity();
				for (i64 i = n - 1; i >= s; i--)
					if (label_of(labels, i, blank) == label)
						sum = log_sum(sum, alpha[t * n + i] + now[i], -infinity());
				g[label] = (exp(row[label]) - exp(sum + loss - row[label])) / divisor;
			}
		}
		__syncthreads();
	}
}
`)

func (c ctc) Launch(to *Launches, in, out []Remote) error {
	steps, batch, classes := ctcSizes(in[0].Shape)
	s, real, total := c.Settings, out[0].real(), in[1].Size()
	stride, longest := 0, total
	if len(in[1].Shape) == 2 {
		stride, longest = in[1].Shape[1], in[1].Shape[1]
	}
	states := 2*total + batch // of all samples, padding included
	memory := [3]*cuda.Place{}
	for i, n := range []int{steps * states, 2 * states, batch} {
		var err error
		if memory[i], err = to.Scratch(n, real); err != nil {
			return err
		}
	}
	length := func(what string, most int) int {
		return to.Check(func(position int64, value float64) error {
			return lengthWithin(what, int(position), int64(value), most)
		})
	}
	label := to.Check(func(position int64, value float64) error {
		return &IndexError{What: ctcInputs[1], Index: int64(value), At: int(position), Size: classes}
	})
	sum := to.Check(func(_ int64, value float64) error {
		return &ShapeError{What: ctcInputs[1], Got: in[1].Shape, Want: []int{int(value)}, Note: "the sum of target_lengths"}
	})
	err := to.Launch(ctcSource.Kernel("losses", real), cuda.Rows(batch, 2*longest+1), out[2].At, memory[2], out[1].At, memory[0], memory[1],
		in[0].At, in[1].At, in[2].At, in[3].At, steps, batch, classes, s.Blank, stride, total, s.ZeroInfinity, s.Reduction == ReductionMean,
		to.Status, length(ctcInputs[2], steps), length(ctcInputs[3], longest), label, sum)
	if err != nil {
		return err
	}
	if s.Reduction == ReductionNone {
		to.Copy(out[0].At, memory[2], batch*real.Bytes())
		return nil
	}
	return to.sum(out[0].At, memory[2], real, 1, batch, 1, 1)
}
