//go:build gpu

package ops

import "math"

// The degrees of norms with an arithmetic of their own.
const (
	anyDegree = iota
	degree0
	degree1
	degree2
	largestOf
	leastOf
)

func degreeOf(p float64) int {
	switch {
	case p == 0:
		return degree0
	case p == 1:
		return degree1
	case p == 2:
		return degree2
	case math.IsInf(p, 1):
		return largestOf
	case math.IsInf(p, -1):
		return leastOf
	}
	return anyDegree
}

// normText is what kernels of norms begin with: the steps of norm, of which the least is the negative of the largest negative.
const normText = `
enum { ANY, ZERO, ONE, TWO, LARGEST, LEAST };

__device__ inline T sign(T v) { return v > 0 ? T(1) : v < 0 ? T(-1) : v; }

__device__ inline T norm_start(i64 degree) { return degree == LEAST ? -infinity() : T(0); }

__device__ inline T norm_add(T sum, T v, i64 degree, double p) {
	v = fabs(v);
	if (degree == LARGEST)
		return larger(sum, v);
	if (degree == LEAST)
		return larger(sum, -v);
	return sum + (degree == ONE ? v : degree == TWO ? v * v : degree == ZERO ? T(v != 0) : pow(v, T(p)));
}

// The norm of what the threads of a block added up.
__device__ inline T norm_value(T sum, i64 degree, double p) {
	sum = degree == LARGEST || degree == LEAST ? block_max(sum) : block_sum(sum);
	return degree == TWO ? sqrt(sum) : degree == LEAST ? -sum : degree == ANY ? pow(sum, T(1 / p)) : sum;
}

__device__ inline bool norm_ties(T v, T norm) { return fabs(v) == norm || v != v; }

// The derivative by one element, ties being how many were chosen.
__device__ inline T norm_slope(T v, T norm, T ties, i64 degree, double p) {
	if (degree == ONE)
		return sign(v);
	if (degree == LARGEST || degree == LEAST)
		return norm_ties(v, norm) ? sign(v) / ties : T(0);
	if (norm == 0 || (p < 1 && v == 0))
		return 0;
	if (degree == TWO)
		return v / norm;
	if (p < 1)
		return sign(v) * pow(fabs(v), T(p - 1)) * pow(norm, T(1 - p));
	return sign(v) * pow(fabs(v), T(p - 1)) / pow(norm, T(p - 1));
}
`
