//go:build gpu

package ops

import (
	"math"

	"github.com/seed-70b75153/aegis/cuda"
)

var lossSource = cuda.NewSource("loss", `
extern "C" __global__ void fill(T *y, double v, i64 n) { EACH(i, n) y[i] = T(v); }

// x (rows, classes, inner) times a factor a row.
extern "C" __global__ void row_scale(T *y, const T *x, const T *factor, i64 rows, i64 classes, i64 inner) {
	EACH(i, rows * classes * inner) y[i] = x[i] * factor[i / (classes * inner) * inner + i % inner];
}

// The loss of losses: their sum, divided by the divisor where there is one; the mean of nothing is NaN.
extern "C" __global__ void total(T *out, const T *losses, const T *divisor, int mean, i64 n) {
	double sum = 0;
	ALONG(i, n) sum += losses[i];
	sum = block_sum(sum);
	if (threadIdx.x == 0)
		out[0] = T(mean ? sum / divisor[0] : sum);
}

// The sum of the weights of the classes that count.
extern "C" __global__ void class_weight(T *out, const i64 *target, const T *weight, int weighted, i64 ignore, i64 classes, i64 n) {
	double sum = 0;
	ALONG(i, n) {
		i64 t = target[i];
		if (t != ignore && t >= 0 && t < classes)
			sum += weighted ? weight[t] : T(1);
	}
	sum = block_sum(sum);
	if (threadIdx.x == 0)
		out[0] = T(sum);
}
`)

func (ones) Launch(to *Launches, _, out []Remote) error { return to.fill(out[0], 1) }

func (l *Launches) fill(r Remote, v float64) error {
	n := r.Size()
	return l.Launch(lossSource.Kernel("fill", r.real()), cuda.Elements(n), r.At, v, n)
}

func (rowScale) Launch(to *Launches, in, out []Remote) error {
	rows, classes, inner := classSplit(in[0].Shape)
	if in[0].Size() == in[1].Size() {
		rows, classes, inner = in[0].Size(), 1, 1
	}
	n := rows * classes * inner
	return to.Launch(lossSource.Kernel("row_scale", out[0].real()), cuda.Elements(n), out[0].At, in[0].At, in[1].At, rows, classes, inner)
}

// oneBlock is the shape of a kernel that sums n elements in one block.
func oneBlock(n int) cuda.Shape {
	const many, most = 4096, 1024
	if n >= many {
		return cuda.Shape{Blocks: 1, Threads: most}
	}
	return cuda.Rows(1, n)
}

// total adds the reduction of n losses into out; none copies them. divisor is where the mean's divisor is.
func (l *Launches) total(r Reduction, out Remote, losses, divisor *cuda.Place, n int) error {
	if r == ReductionNone {
		l.Copy(out.At, losses, n*out.real().Bytes())
		return nil
	}
	return l.Launch(lossSource.Kernel("total", out.real()), oneBlock(n), out.At, losses, divisor, r == ReductionMean, n)
}

// number is memory that holds one number.
func (l *Launches) number(v float64, real cuda.Type) (Remote, error) {
	at, err := l.Scratch(1, real)
	if err != nil {
		return Remote{}, err
	}
	r := Remote{Operand: Operand{DType: dtypes[real]}, At: at}
	return r, l.fill(r, v)
}

// classDivisor is where the divisor of class losses is: 1 for a sum, else the sum of the weights of the targets, for
// probabilities their count.
func (l *Launches) classDivisor(r Reduction, in []Remote, ignore int64, real cuda.Type) (*cuda.Place, error) {
	rows, classes, inner := classSplit(in[0].Shape)
	if r != ReductionMean || in[1].real() != cuda.Int64 {
		v := 1.0
		if r == ReductionMean {
			v = float64(rows * inner)
		}
		d, err := l.number(v, real)
		return d.At, err
	}
	d, err := l.Scratch(1, real)
	if err != nil {
		return nil, err
	}
	weight := in[0].At // stands for one that is not read
	if len(in) > 2 {
		weight = in[2].At
	}
	n := in[1].Size()
	return d, l.Launch(lossSource.Kernel("class_weight", real), oneBlock(n), d, in[1].At, weight, len(in) > 2, ignore, classes, n)
}

// indexCheck makes the number of the check of class indices.
func (l *Launches) indexCheck(classes int) int {
	return l.Check(func(position int64, value float64) error {
		return &IndexError{What: "target", Index: int64(math.Round(value)), At: int(position), Size: classes}
	})
}
