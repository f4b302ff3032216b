// cuBLAS and cuBLASLt on the emulated device: products by plain loops, their matrices within device memory.
#include <cmath>
#include <cstdlib>

#include "emulator.h"

namespace {

enum { not_initialized = 1, invalid = 7 };

// A bfloat16 as it is stored.
struct Brain {
	uint16_t bits;
	operator double() const {
		uint32_t wide = uint32_t(bits) << 16;
		float x;
		memcpy(&x, &wide, sizeof x);
		return x;
	}
};

// A number in half precision as it is stored.
struct Half {
	uint16_t bits;
	operator double() const {
		int exponent = bits >> 10 & 31, fraction = bits & 1023;
		double x = exponent == 31 ? (fraction ? NAN : INFINITY) : exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24);
		return bits >> 15 ? -x : x;
	}
};

// Products of numbers of type F, summed in T.
template <class T, class F = T> struct Product {
	int ta, tb, m, n, k, lda, ldb, ldc;
	const F *a, *b;
	const T *bias;
	T *c;
	T factor, keep;
	bool tf32, relu;
	const T *factors = nullptr; // factor and keep where they lie on the device
};

// To 10 bits after the point, as tensor cores take numbers.
double rounded(double x) { return x; }
double rounded(Brain x) { return x; }
double rounded(Half x) { return x; }
double rounded(float x) {
	uint32_t bits;
	memcpy(&bits, &x, sizeof bits);
	if (std::isfinite(x))
		bits = (bits + 0x1000) & ~0x1fffu;
	memcpy(&x, &bits, sizeof bits);
	return x;
}

template <class T, class F> int product(const Product<T, F> &p) {
	if (p.m < 0 || p.n < 0 || p.k < 0 || p.lda < (p.ta ? p.k : p.m) || p.ldb < (p.tb ? p.n : p.k) || p.ldc < p.m)
		return invalid;
	enqueue_computing([p] {
		std::string why;
		auto bytes = [](size_t each, int ld, int columns, int rows) { return (size_t(ld) * (columns - 1) + rows) * each; };
		if (!inside((uint64_t)p.a, bytes(sizeof(F), p.lda, p.ta ? p.m : p.k, p.ta ? p.k : p.m), &why) ||
			!inside((uint64_t)p.b, bytes(sizeof(F), p.ldb, p.tb ? p.k : p.n, p.tb ? p.n : p.k), &why) ||
			!inside((uint64_t)p.c, bytes(sizeof(T), p.ldc, p.n, p.m), &why) || (p.bias && !inside((uint64_t)p.bias, p.m * sizeof(T), &why)))
			return fail(illegal_address, "product: " + why);
		T factor = p.factor, keep = p.keep;
		if (p.factors) {
			if (!inside((uint64_t)p.factors, 16 + sizeof(T), &why))
				return fail(illegal_address, "product: " + why);
			factor = p.factors[0], keep = p.factors[16 / sizeof(T)];
		}
		auto number = [&](F x) { return p.tf32 ? rounded(x) : double(x); };
		for (int j = 0; j < p.n; j++)
			for (int i = 0; i < p.m; i++) {
				double sum = 0;
				for (int l = 0; l < p.k; l++)
					sum += number(p.a[p.ta ? l + size_t(i) * p.lda : i + size_t(l) * p.lda]) * number(p.b[p.tb ? j + size_t(l) * p.ldb : l + size_t(j) * p.ldb]);
				T &to = p.c[i + size_t(j) * p.ldc], v = T(factor * sum) + (keep == 0 ? 0 : keep * to);
				if (p.bias)
					v += p.bias[i];
				// AEGIS_EMULATED_RELU=drops-nan: as a kernel does that takes the larger of 0 and v.
				static const bool drops = getenv("AEGIS_EMULATED_RELU") != nullptr;
				to = p.relu && (v < 0 || (drops && v != v)) ? 0 : v;
			}
		written((uint64_t)p.c, bytes(sizeof(T), p.ldc, p.n, p.m));
	});
	return 0;
}

bool tf32_mode;

// What cuBLASLt describes products by.
struct Operation {
	int compute, transposeA, transposeB, epilogue;
	uint64_t bias;
	int pointers; // 1: factors lie on the device
};
struct Matrix {
	uint64_t rows, columns;
	int64_t ld;
	int type;
};
enum { real32 = 0, half = 2, brain = 14 };
struct Preference {
	uint32_t alignment[4];
};
struct Found {
	uint64_t algorithm[8];
	size_t workspace;
	int state;
	float waves;
	int reserved[4];
};
const uint64_t signature = 0xae615;

} // namespace

extern "C" {
int cublasCreate_v2(void **handle) { *handle = new int; return 0; }
int cublasSetStream_v2(void *, void *) { return 0; }
int cublasSetWorkspace_v2(void *, void *, size_t) { return 0; }
int cublasSetMathMode(void *, int mode) { tf32_mode = mode == 3; return 0; }
int cublasSgemm_v2(void *, int ta, int tb, int m, int n, int k, const float *alpha, const float *a, int lda, const float *b, int ldb,
	const float *beta, float *c, int ldc) {
	return product(Product<float>{ta, tb, m, n, k, lda, ldb, ldc, a, b, nullptr, c, *alpha, *beta, tf32_mode, false});
}
int cublasDgemm_v2(void *, int ta, int tb, int m, int n, int k, const double *alpha, const double *a, int lda, const double *b, int ldb,
	const double *beta, double *c, int ldc) {
	return product(Product<double>{ta, tb, m, n, k, lda, ldb, ldc, a, b, nullptr, c, *alpha, *beta, false, false});
}

int cublasLtCreate(void **handle) { *handle = new int; return 0; }
int cublasLtMatmulDescCreate(void **d, int compute, int scale) {
	*d = new Operation{compute, 0, 0, 1, 0, 0};
	return (compute == 68 || compute == 77) && scale == 0 ? 0 : invalid;
}
int cublasLtMatmulDescDestroy(void *d) { delete (Operation *)d; return 0; }
int cublasLtMatmulDescSetAttribute(void *d, int attribute, const void *value, size_t bytes) {
	auto o = (Operation *)d;
	std::pair<void *, size_t> field;
	switch (attribute) {
	case 2: field = {&o->pointers, 4}; break;
	case 3: field = {&o->transposeA, 4}; break;
	case 4: field = {&o->transposeB, 4}; break;
	case 7: field = {&o->epilogue, 4}; break;
	case 8: field = {&o->bias, 8}; break;
	}
	if (!field.first || bytes != field.second)
		return invalid;
	memcpy(field.first, value, bytes);
	return 0;
}
int cublasLtMatrixLayoutCreate(void **l, int type, uint64_t rows, uint64_t columns, int64_t ld) {
	*l = new Matrix{rows, columns, ld, type};
	return (type == real32 || type == half || type == brain) && ld >= int64_t(rows) ? 0 : invalid;
}
int cublasLtMatrixLayoutDestroy(void *l) { delete (Matrix *)l; return 0; }
int cublasLtMatmulPreferenceCreate(void **p) { *p = new Preference{{256, 256, 256, 256}}; return 0; }
int cublasLtMatmulPreferenceDestroy(void *p) { delete (Preference *)p; return 0; }
int cublasLtMatmulPreferenceSetAttribute(void *p, int attribute, const void *value, size_t bytes) {
	if (attribute == 1)
		return bytes == 8 ? 0 : invalid;
	if (attribute < 5 || attribute > 8 || bytes != 4)
		return invalid;
	memcpy(&((Preference *)p)->alignment[attribute - 5], value, 4);
	return 0;
}
int cublasLtMatmulAlgoGetHeuristic(void *handle, void *, void *, void *, void *, void *, void *p, int most, void *result, int *count) {
	const int tiles[] = {24, 20};
	auto f = (Found *)result;
	for (*count = 0; *count < most && *count < 2; ++*count)
		f[*count] = Found{{signature, ((Preference *)p)->alignment[0], uint64_t(tiles[*count])}, 0, 0, 1, {}};
	return handle ? 0 : not_initialized;
}
int cublasLtMatmulAlgoConfigGetAttribute(const uint64_t *algorithm, int attribute, int *value, size_t bytes, size_t *written) {
	*written = 4;
	*value = attribute == 1 ? int(algorithm[2]) : 1; // the tile, the splits
	return bytes == 4 && (attribute == 1 || attribute == 2) ? 0 : invalid;
}
int cublasLtMatmul(void *, void *d, const void *alpha, const void *a, void *la, const void *b, void *lb, const void *beta, const void *c, void *,
	void *to, void *lc, const void *algorithm, void *, size_t, void *) {
	auto o = (Operation *)d;
	auto A = (Matrix *)la, B = (Matrix *)lb, C = (Matrix *)lc;
	auto found = (const uint64_t *)algorithm;
	int m = C->rows, n = C->columns, k = o->transposeA ? A->rows : A->columns;
	bool fit = int(o->transposeA ? A->columns : A->rows) == m && int(o->transposeB ? B->rows : B->columns) == n &&
		int(o->transposeB ? B->columns : B->rows) == k;
	bool typed = A->type == B->type && C->type == real32 && (A->type == real32 || (o->compute == 68 && A->ld % 8 == 0 && B->ld % 8 == 0)) &&
		(o->pointers == 0 || o->pointers == 1);
	bool aligned = (((uint64_t)a | (uint64_t)b | (uint64_t)to) % found[1]) == 0;
	if (o->epilogue != 1 && o->epilogue != 2 && o->epilogue != 4 && o->epilogue != 6)
		return invalid;
	if (found[0] != signature || !fit || !aligned || !typed || c != to)
		return invalid;
	auto bias = o->epilogue & 4 ? (const float *)o->bias : nullptr;
	auto on_device = o->pointers ? (const float *)alpha : nullptr;
	if (on_device && (const char *)beta != (const char *)alpha + 16)
		return invalid;
	auto factor = on_device ? 0 : *(const float *)alpha, keep = on_device ? 0 : *(const float *)beta;
	bool relu = (o->epilogue & 2) != 0;
	if (A->type == half)
		return product(Product<float, Half>{o->transposeA, o->transposeB, m, n, k, int(A->ld), int(B->ld), int(C->ld), (const Half *)a,
			(const Half *)b, bias, (float *)to, factor, keep, false, relu, on_device});
	if (A->type == brain)
		return product(Product<float, Brain>{o->transposeA, o->transposeB, m, n, k, int(A->ld), int(B->ld), int(C->ld), (const Brain *)a,
			(const Brain *)b, bias, (float *)to, factor, keep, false, relu, on_device});
	return product(Product<float>{o->transposeA, o->transposeB, m, n, k, int(A->ld), int(B->ld), int(C->ld), (const float *)a, (const float *)b,
		bias, (float *)to, factor, keep, o->compute == 77, relu, on_device});
}
}
