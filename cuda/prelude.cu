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

__device__ inline T larger(T x, T y) { return x > y || x != x ? x : y; } // NaN wins

// What is wrong with the data: the number of a check, 0 where nothing is, and the first position found.
struct Status { u64 number; i64 position; double value; };

__device__ inline void fail(Status *status, i64 number, i64 position, double value) {
	if (atomicCAS(&status->number, 0ull, (u64)number) == 0) {
		status->position = position;
		status->value = value;
	}
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
