// c (m, n) = a·b where there is no cuBLAS, with bias and ReLU: a block makes a tile of ROWS_ by COLUMNS_, by its number, from slices of
// both matrices in shared memory, each thread TALL by WIDE numbers of it in registers.
#define SLICE 16

template <int ROWS_, int COLUMNS_, int TALL, int WIDE>
__device__ inline void tile(i64 number, T *c, const T *a, const T *b, const T *bias, i64 m, i64 n, i64 k, int transposeA, int transposeB, int add,
	int biased, int relu) {
	const int threads = ROWS_ / TALL * (COLUMNS_ / WIDE);
	__shared__ T left[SLICE][ROWS_ + 1], right[SLICE][COLUMNS_ + 1];
	i64 across = (n + COLUMNS_ - 1) / COLUMNS_;
	i64 row = number / across * ROWS_, column = number % across * COLUMNS_;
	// A thread's rows and columns are apart, so that neighbouring threads read neighbours.
	int x = threadIdx.x % (COLUMNS_ / WIDE), y = threadIdx.x / (COLUMNS_ / WIDE);
	T sum[TALL][WIDE];
#pragma unroll
	for (int i = 0; i < TALL; i++)
#pragma unroll
		for (int j = 0; j < WIDE; j++)
			sum[i][j] = 0;
	for (i64 at = 0; at < k; at += SLICE) {
		// Neighbouring threads read neighbours in memory, whichever way the matrix lies.
		for (int e = threadIdx.x; e < ROWS_ * SLICE; e += threads) {
			int i = transposeA ? e % ROWS_ : e / SLICE, l = transposeA ? e / ROWS_ : e % SLICE;
			left[l][i] = row + i < m && at + l < k ? a[transposeA ? (at + l) * m + row + i : (row + i) * k + at + l] : T(0);
		}
		for (int e = threadIdx.x; e < COLUMNS_ * SLICE; e += threads) {
			int j = transposeB ? e / SLICE : e % COLUMNS_, l = transposeB ? e % SLICE : e / COLUMNS_;
			right[l][j] = column + j < n && at + l < k ? b[transposeB ? (column + j) * k + at + l : (at + l) * n + column + j] : T(0);
		}
		__syncthreads();
#pragma unroll 4
		for (int l = 0; l < SLICE; l++) {
			T p[TALL], q[WIDE];
#pragma unroll
			for (int i = 0; i < TALL; i++)
				p[i] = left[l][y + i * (ROWS_ / TALL)];
#pragma unroll
			for (int j = 0; j < WIDE; j++)
				q[j] = right[l][x + j * (COLUMNS_ / WIDE)];
#pragma unroll
			for (int i = 0; i < TALL; i++)
#pragma unroll
				for (int j = 0; j < WIDE; j++)
					sum[i][j] += p[i] * q[j];
		}
		__syncthreads();
	}
#pragma unroll
	for (int i = 0; i < TALL; i++)
#pragma unroll
		for (int j = 0; j < WIDE; j++) {
			i64 r = row + y + i * (ROWS_ / TALL), s = column + x + j * (COLUMNS_ / WIDE);
			if (r < m && s < n) {
				T v = add ? c[r * n + s] + sum[i][j] : sum[i][j];
				if (biased)
					v += bias[s];
				c[r * n + s] = relu && v < 0 ? T(0) : v;
			}
		}
}

extern "C" __global__ void __launch_bounds__(256) large(T *c, const T *a, const T *b, const T *bias, i64 m, i64 n, i64 k, int transposeA,
	int transposeB, int add, int biased, int relu) {
	tile<128, 64, 8, 4>(blockIdx.x, c, a, b, bias, m, n, k, transposeA, transposeB, add, biased, relu);
}

extern "C" __global__ void __launch_bounds__(64) small(T *c, const T *a, const T *b, const T *bias, i64 m, i64 n, i64 k, int transposeA,
	int transposeB, int add, int biased, int relu) {
	tile<32, 32, 4, 4>(blockIdx.x, c, a, b, bias, m, n, k, transposeA, transposeB, add, biased, relu);
}

// As large, where something was wrong with how the product was made, by however many blocks. The last one leaves it mended, with done
// blocks at 0 again. Words that were found of a factor are cleared; a plan, where it isn't 0, is named as one whose numbers were too coarse.
extern "C" __global__ void __launch_bounds__(256) repair(u32 *wrong, u32 *done, T *c, const T *a, const T *b, const T *bias, i64 m, i64 n, i64 k,
	int transposeA, int transposeB, int biased, int relu, u32 *found, i64 words, Status *status, i64 plan) {
	EACH(i, words) found[i] = 0;
	if (*wrong == 0) // an atomic look by so many threads would take longer than some products
		return;
	ROWS(number, (m + 127) / 128 * ((n + 63) / 64))
		tile<128, 64, 8, 4>(number, c, a, b, bias, m, n, k, transposeA, transposeB, 0, biased, relu);
	__syncthreads(); // all have looked
	if (threadIdx.x == 0 && atomicAdd(done, 1u) == gridDim.x - 1) {
		if (plan != 0)
			*(volatile u64 *)&status->mirror->coarse = (u64)plan;
		atomicCAS(done, gridDim.x, 0u);
		atomicCAS(wrong, 1u, 0u);
	}
}

// Adds HALF of the sums to those of another lane, which takes the other half.
template <int HALF> __device__ inline void halve(T *sum, int lane) {
	bool upper = lane & 2 * HALF;
#pragma unroll
	for (int j = 0; j < HALF; j++) {
		T other = __shfl_xor_sync(0xffffffffu, upper ? sum[j] : sum[j + HALF], 2 * HALF);
		sum[j] = (upper ? sum[j + HALF] : sum[j]) + other;
	}
}

// c (m, n) = a·bᵀ of up to COLUMNS_ columns, 16 at most: a warp has some rows, whose numbers its lanes share out, EACH_ at a time.
template <int ROWS_, int COLUMNS_, int EACH_>
__device__ inline void narrow_sums(T (*sum)[16], const T *const *rows, const T *b, i64 n, i64 k, int lane) {
	struct alignas(EACH_ == 1 ? sizeof(T) : 16) Some { T at[EACH_]; };
	const T *weight[COLUMNS_]; // the last stands for those that are not there, so that nothing waits for a comparison
#pragma unroll
	for (int j = 0; j < COLUMNS_; j++)
		weight[j] = b + (j < n ? j : n - 1) * k;
#pragma unroll 2
	for (i64 l = lane * EACH_; l < k; l += 32 * EACH_) {
		Some p[ROWS_];
#pragma unroll
		for (int i = 0; i < ROWS_; i++)
			p[i] = *(const Some *)(rows[i] + l);
#pragma unroll
		for (int j = 0; j < COLUMNS_; j++) {
			Some w = *(const Some *)(weight[j] + l);
#pragma unroll
			for (int i = 0; i < ROWS_; i++)
#pragma unroll
				for (int e = 0; e < EACH_; e++)
					sum[i][j] += p[i].at[e] * w.at[e];
		}
	}
}

template <int ROWS_, int COLUMNS_>
__device__ inline void narrow_rows(T *c, const T *a, const T *b, const T *bias, i64 m, i64 n, i64 k, int biased, int relu) {
	i64 row = ((i64)blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32) * ROWS_;
	int lane = threadIdx.x % 32;
	if (row >= m)
		return;
	const T *rows[ROWS_];
	T sum[ROWS_][16];
#pragma unroll
	for (int i = 0; i < ROWS_; i++) {
		rows[i] = a + (row + i < m ? row + i : row) * k;
#pragma unroll
		for (int j = 0; j < 16; j++)
			sum[i][j] = 0;
	}
	if (((u64)a | (u64)b | (u64)(k * sizeof(T))) % 16 == 0)
		narrow_sums<ROWS_, COLUMNS_, 16 / sizeof(T)>(sum, rows, b, n, k, lane);
	else
		narrow_sums<ROWS_, COLUMNS_, 1>(sum, rows, b, n, k, lane);
	// At each turn a lane gives half of the columns away, until it has the sum of one: that of half its number.
#pragma unroll
	for (int i = 0; i < ROWS_; i++) {
		halve<8>(sum[i], lane);
		halve<4>(sum[i], lane);
		halve<2>(sum[i], lane);
		halve<1>(sum[i], lane);
		T all = sum[i][0] + __shfl_xor_sync(0xffffffffu, sum[i][0], 1);
		int j = lane / 2;
		if (j < n && row + i < m && lane % 2 == 0) {
			if (biased)
				all += bias[j];
			c[(row + i) * n + j] = relu && all < 0 ? T(0) : all;
		}
	}
}

template <int ROWS_>
__device__ inline void narrow_of(T *c, const T *a, const T *b, const T *bias, i64 m, i64 n, i64 k, int biased, int relu) {
	if (n <= 4)
		narrow_rows<ROWS_, 4>(c, a, b, bias, m, n, k, biased, relu);
	else if (n <= 12)
		narrow_rows<ROWS_, 12>(c, a, b, bias, m, n, k, biased, relu);
	else
		narrow_rows<ROWS_, 16>(c, a, b, bias, m, n, k, biased, relu);
}

extern "C" __global__ void __launch_bounds__(128) narrow(T *c, const T *a, const T *b, const T *bias, i64 m, i64 n, i64 k, int biased, int relu) {
	narrow_of<2>(c, a, b, bias, m, n, k, biased, relu);
}

// As many rows as there are registers for: each reading of b does for twice as many in float.
extern "C" __global__ void __launch_bounds__(128) narrow_tall(T *c, const T *a, const T *b, const T *bias, i64 m, i64 n, i64 k, int biased,
	int relu) {
	narrow_of<16 / sizeof(T)>(c, a, b, bias, m, n, k, biased, relu);
}
