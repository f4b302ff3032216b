// Matrices in half precision, for tensor cores.
//
// What is found of a matrix: the largest magnitude as the bits of a float, whether half precision is too coarse for it, and the
// largest magnitude of each column and of each row.
#define STRIP 64
#define ACROSS 128

struct alignas(8) FourHalves { unsigned short at[4]; };

__device__ inline u32 magnitude(T x) { return (u32)__float_as_int(float(x)) & 0x7fffffff; }
__device__ inline u32 most(u32 a, u32 b) { return a > b ? a : b; }
__device__ inline void raise(u32 *to, u32 x) {
	if (x > *(volatile u32 *)to)
		atomicMax(to, x);
}

// A block looks at STRIP rows of ACROSS columns, a lane at four of those.
extern "C" __global__ void __launch_bounds__(256) largest(u32 *found, const T *x, i64 rows, i64 columns) {
	__shared__ u32 column[8][ACROSS];
	u32 *ofColumns = found + 2, *ofRows = ofColumns + columns;
	i64 strips = (columns + ACROSS - 1) / ACROSS, row = blockIdx.x / strips * STRIP, first = blockIdx.x % strips * ACROSS;
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
	u32 here[4] = {0, 0, 0, 0};
	for (int i = warp; i < STRIP && row + i < rows; i += 8) {
		u32 across = 0;
		if (first + 4 * lane < columns) {
			Four four = four_of(x, (row + i) * columns + first + 4 * lane);
			for (int e = 0; e < 4; e++) {
				u32 m = magnitude(four.at[e]);
				here[e] = most(here[e], m);
				across = most(across, m);
			}
		}
		for (int by = 16; by > 0; by /= 2)
			across = most(across, __shfl_xor_sync(0xffffffffu, across, by));
		if (lane == 0)
			raise(ofRows + row + i, across);
	}
	for (int e = 0; e < 4; e++)
		column[warp][4 * lane + e] = here[e];
	__syncthreads();
	if (warp >= ACROSS / 32)
		return;
	u32 all = 0;
	for (int w = 0; w < 8; w++)
		all = most(all, column[w][threadIdx.x]);
	if (first + threadIdx.x < columns)
		raise(ofColumns + first + threadIdx.x, all);
	for (int by = 16; by > 0; by /= 2)
		all = most(all, __shfl_xor_sync(0xffffffffu, all, by));
	if (lane == 0)
		raise(found, all);
}

// The exponent of the power of two that brings a largest magnitude to 2^14 to 2^15, as far as a float has it.
__device__ inline int shift(u32 largest) {
	int exponent = (int)(largest >> 23);
	return largest == 0 ? 0 : exponent < 15 ? 126 : 14 + 127 - exponent;
}
__device__ inline float power(int exponent) { return __int_as_float((127 + exponent) << 23); }

// A number in half precision, rounded to even. Its magnitude is 2^15 at most.
__device__ inline unsigned short half_of(float x) {
	u32 bits = (u32)__float_as_int(x), sign = bits >> 16 & 0x8000;
	bits &= 0x7fffffff;
	u32 normal = (bits + 0xfff + (bits >> 13 & 1) - ((127 - 15) << 23)) >> 13;
	u32 small = (u32)__float_as_int(__int_as_float((int)bits) + 0.5f) - 0x3f000000; // 0.5 has what half precision has below 2^-14
	return (unsigned short)(sign | (bits < 0x38800000 ? small : normal));
}

// A matrix in half precision, with wrong set to 1 where it is too coarse. Where paired, it is multiplied by another: then factor
// becomes what their product is to be multiplied by.
extern "C" __global__ void __launch_bounds__(256) to_half(unsigned short *to, const T *x, i64 rows, i64 columns, const u32 *found, u32 *wrong,
	T *factor, const u32 *other, int paired) {
	// A number loses 2^-39 of the largest at most, so that what falls short of none of these by more loses 2^-19 of them.
	const float coarse = 1.0f / (1 << 20);
	const u32 *ofColumns = found + 2, *ofRows = ofColumns + columns;
	u32 largest = found[0];
	int by = shift(largest);
	float scale = power(by);
	bool bad = largest >= 0x7f800000 || (largest != 0 && largest >> 23 < 15);
	if (!bad)
		EACH(i, rows * columns / 4) {
			Four four = four_of(x, 4 * i);
			FourHalves out;
			for (int e = 0; e < 4; e++)
				out.at[e] = half_of(float(four.at[e]) * scale);
			((FourHalves *)to)[i] = out;
		}
	float least = __int_as_float((int)largest) * coarse;
	EACH(i, rows) {
		float row = __int_as_float((int)ofRows[i]);
		bad = bad || (row > 0 && row < least);
	}
	if (paired && blockIdx.x == 0) {
		// The largest term that there could be: where columns of one are small and those of the other large, all terms are.
		int byOther = shift(other[0]);
		float term = 0;
		if (!bad && other[0] < 0x7f800000)
			ALONG(i, columns)
				term = larger(term, __int_as_float((int)ofColumns[i]) * scale * (__int_as_float((int)other[2 + i]) * power(byOther)));
		term = block_max(term);
		if (threadIdx.x == 0) {
			int back = -by - byOther;
			float both = __int_as_float((int)largest) * scale * (__int_as_float((int)other[0]) * power(byOther));
			bad = bad || other[1] != 0 || back < -126 || back > 127 || term < both * coarse;
			factor[0] = bad ? T(0) : T(power(back));
		}
	}
	if (bad && *(volatile u32 *)wrong == 0)
		atomicCAS(wrong, 0u, 1u);
}
