// What stands before every source. T is float or double, as DOUBLE says.

typedef long long i64;
typedef unsigned int u32;
typedef unsigned long long u64;

// A list of up to 8 numbers, by value.
struct Sizes { i64 at[8]; };
struct Numbers { double at[12]; };

// for each i below n, shared out among all threads.
#define EACH(i, n) for (i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x; i < (n); i += (i64)gridDim.x * blockDim.x)

// for each row, shared out among the blocks; within it ALONG shares out its elements among the block's threads.
#define ROWS(row, rows) for (i64 row = blockIdx.x; row < (rows); row += gridDim.x)
#define ALONG(i, n) for (i64 i = threadIdx.x; i < (n); i += blockDim.x)

#if DOUBLE
__device__ inline T infinity() { return __longlong_as_double(0x7ff0000000000000ll); }
__device__ inline T nan() { return __longlong_as_double(0x7ff8000000000000ll); }
#else
__device__ inline T infinity() { return __int_as_float(0x7f800000); }
__device__ inline T nan() { return __int_as_float(0x7fc00000); }
#endif

// Four numbers that follow each other; float is read at once where it lies on 16 bytes.
struct alignas(16) Four { T at[4]; };
__device__ inline Four four_of(const T *x, i64 at) {
	Four four;
	if ((u64)x % 16 == 0)
		four = *(const Four *)(x + at);
	else
		for (int e = 0; e < 4; e++)
			four.at[e] = x[at + e];
	return four;
}

__device__ inline T larger(T x, T y) { return x > y || x != x ? x : y; } // NaN wins

// The four words of a block of random numbers: those of random.Philox, so that a draw is what it is on the CPU.
__device__ inline void philox(const i64 *draw, i64 block, u32 *words) {
	u64 seed = (u64)draw[0], stream = (u64)draw[1];
	u32 k0 = (u32)seed, k1 = (u32)(seed >> 32);
	words[0] = (u32)block; words[1] = (u32)((u64)block >> 32); words[2] = (u32)stream; words[3] = (u32)(stream >> 32);
	for (int round = 0; round < 10; round++) {
		u64 p0 = (u64)words[0] * 0xd2511f53u, p1 = (u64)words[2] * 0xcd9e8d57u;
		u32 w0 = (u32)(p1 >> 32) ^ words[1] ^ k0, w2 = (u32)(p0 >> 32) ^ words[3] ^ k1;
		words[0] = w0; words[1] = (u32)p1; words[2] = w2; words[3] = (u32)p0;
		k0 += 0x9e3779b9u;
		k1 += 0xbb67ae85u;
	}
}

// What is wrong with the data: the number of a watch, 0 where nothing is, and the first position found. The host looks at the
// mirror, which is its own memory, when it comes to it, and at the plan that is named there as one for whose numbers half precision
// is too coarse.
struct Status { u64 number; i64 position; double value; Status *mirror; u64 coarse; };

__device__ inline void fail(Status *status, i64 number, i64 position, double value) {
	if (atomicCAS(&status->number, 0ull, (u64)number) != 0)
		return;
	Status *mirror = status->mirror;
	mirror->position = position;
	mirror->value = value;
	__threadfence_system();
	*(volatile u64 *)&mirror->number = (u64)number;
}

// The sum over a block, for every thread of it. Each thread of the block must call it.
template <class S> __device__ S block_sum(S value) {
	__shared__ S partial[32];
	for (int offset = 16; offset > 0; offset /= 2)
		value += __shfl_xor_sync(0xffffffffu, value, offset);
	if (threadIdx.x % 32 == 0)
		partial[threadIdx.x / 32] = value;
	__syncthreads();
	S sum = 0;
	for (int warp = 0; warp < (int)(blockDim.x / 32); warp++)
		sum += partial[warp];
	__syncthreads();
	return sum;
}

// The largest over a block, likewise.
template <class S> __device__ S block_max(S value) {
	__shared__ S partial[32];
	for (int offset = 16; offset > 0; offset /= 2)
		value = larger(value, __shfl_xor_sync(0xffffffffu, value, offset));
	if (threadIdx.x % 32 == 0)
		partial[threadIdx.x / 32] = value;
	__syncthreads();
	S best = partial[0];
	for (int warp = 1; warp < (int)(blockDim.x / 32); warp++)
		best = larger(best, partial[warp]);
	__syncthreads();
	return best;
}
