// What CUDA C means on the emulated device: kernels are compiled for the host after this text.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __threadfence_system()
#define __shared__ static
#define __align__(n) __attribute__((aligned(n)))
#define UNCHECKED __attribute__((no_sanitize("thread", "bounds"), noinline))

struct dim3 {
	unsigned x, y, z;
};

extern "C" {
extern dim3 emulated_thread, emulated_block, emulated_block_size, emulated_grid_size;
void emulated_barrier();
// Hands a value of the calling lane over, and gives that of another lane of its warp.
uint64_t emulated_shuffle(uint64_t value, int lane);
}

#define threadIdx emulated_thread
#define blockIdx emulated_block
#define blockDim emulated_block_size
#define gridDim emulated_grid_size
#define __syncthreads emulated_barrier

template <class T> UNCHECKED T __shfl_sync(unsigned, T value, int lane) {
	uint64_t bits = 0;
	memcpy(&bits, &value, sizeof value);
	bits = emulated_shuffle(bits, lane);
	memcpy(&value, &bits, sizeof value);
	return value;
}
template <class T> T __shfl_xor_sync(unsigned mask, T value, int by) {
	return __shfl_sync(mask, value, int(threadIdx.x % 32) ^ by);
}
template <class T> T __shfl_down_sync(unsigned mask, T value, int by) {
	int lane = int(threadIdx.x % 32) + by;
	return __shfl_sync(mask, value, lane < 32 ? lane : int(threadIdx.x % 32));
}

template <class T> UNCHECKED T atomicCAS(T *at, T expected, T value) {
	T before = *at;
	if (before == expected)
		*at = value;
	return before;
}
template <class T> UNCHECKED T atomicAdd(T *at, T value) {
	T before = *at;
	*at = before + value;
	return before;
}
template <class T> UNCHECKED T atomicMax(T *at, T value) {
	T before = *at;
	if (before < value)
		*at = value;
	return before;
}
template <class T> UNCHECKED T atomicMin(T *at, T value) {
	T before = *at;
	if (value < before)
		*at = value;
	return before;
}

inline double __longlong_as_double(long long bits) {
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}
inline float __int_as_float(int bits) {
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}
inline int __float_as_int(float value) {
	int bits;
	memcpy(&bits, &value, sizeof bits);
	return bits;
}
inline unsigned __umulhi(unsigned x, unsigned y) { return unsigned((uint64_t(x) * y) >> 32); }
inline float rsqrt(float x) { return 1 / std::sqrt(x); }
inline double rsqrt(double x) { return 1 / std::sqrt(x); }
using std::abs; using std::ceil; using std::copysign; using std::cos; using std::cosh; using std::erf; using std::erfc;
using std::exp; using std::exp2; using std::expm1; using std::fabs; using std::floor; using std::fma; using std::fmax;
using std::fmin; using std::fmod; using std::isfinite; using std::isinf; using std::isnan; using std::log; using std::log1p;
using std::log2; using std::lgamma; using std::nearbyint; using std::pow; using std::rint; using std::round; using std::signbit;
using std::sin; using std::sinh; using std::sqrt; using std::tan; using std::tanh; using std::tgamma; using std::trunc;
// CUDA C has these among its functions.
inline int min(int x, int y) { return x < y ? x : y; }
inline int max(int x, int y) { return x > y ? x : y; }
inline long long min(long long x, long long y) { return x < y ? x : y; }
inline long long max(long long x, long long y) { return x > y ? x : y; }
inline float min(float x, float y) { return std::fmin(x, y); }
inline float max(float x, float y) { return std::fmax(x, y); }
inline double min(double x, double y) { return std::fmin(x, y); }
inline double max(double x, double y) { return std::fmax(x, y); }

// A kernel as the emulated driver finds it: how it is called with arguments behind pointers, and their sizes.
struct EmulatedKernel {
	void (*call)(void (*kernel)(), void **arguments);
	void (*kernel)();
	int count;
	size_t sizes[64];
	int most_threads; // of a block
};

template <class... A, size_t... I> UNCHECKED void emulated_apply(void (*kernel)(A...), void **arguments, std::index_sequence<I...>) {
	kernel(*(A *)arguments[I]...);
}
template <class... A> UNCHECKED void emulated_call(void (*kernel)(), void **arguments) {
	emulated_apply((void (*)(A...))kernel, arguments, std::index_sequence_for<A...>());
}
template <class... A> EmulatedKernel emulated_kernel(void (*kernel)(A...), int most_threads) {
	return {emulated_call<A...>, (void (*)())kernel, int(sizeof...(A)), {sizeof(A)...}, most_threads};
}
#define EMULATED_KERNEL(name, most_threads) \
	extern "C" EmulatedKernel emulated_kernel_##name; \
	EmulatedKernel emulated_kernel_##name = emulated_kernel(name, most_threads);
