// cuBLAS on the emulated device: products by plain loops, their matrices within device memory.
#include "emulator.h"

namespace {

template <class T>
int product(int ta, int tb, int m, int n, int k, const T *alpha, const T *a, int lda, const T *b, int ldb, const T *beta, T *c, int ldc) {
	if (m < 0 || n < 0 || k < 0 || lda < (ta ? k : m) || ldb < (tb ? n : k) || ldc < m)
		return 7; // CUBLAS_STATUS_INVALID_VALUE
	T factor = *alpha, keep = *beta;
	enqueue([=] {
		std::string why;
		auto bytes = [](int ld, int columns, int rows) { return (size_t(ld) * (columns - 1) + rows) * sizeof(T); };
		if (!inside((uint64_t)a, bytes(lda, ta ? m : k, ta ? k : m), &why) || !inside((uint64_t)b, bytes(ldb, tb ? k : n, tb ? n : k), &why) ||
			!inside((uint64_t)c, bytes(ldc, n, m), &why))
			return fail(illegal_address, "product: " + why);
		for (int j = 0; j < n; j++)
			for (int i = 0; i < m; i++) {
				double sum = 0;
				for (int l = 0; l < k; l++)
					sum += double(a[ta ? l + size_t(i) * lda : i + size_t(l) * lda]) * double(b[tb ? j + size_t(l) * ldb : l + size_t(j) * ldb]);
				T &to = c[i + size_t(j) * ldc];
				to = T(factor * sum) + (keep == 0 ? 0 : keep * to);
			}
		written((uint64_t)c, bytes(ldc, n, m));
	});
	return 0;
}

} // namespace

extern "C" {
int cublasCreate_v2(void **handle) { *handle = new int; return 0; }
int cublasSetStream_v2(void *, void *) { return 0; }
int cublasSetWorkspace_v2(void *, void *, size_t) { return 0; }
int cublasSetMathMode(void *, int) { return 0; }
int cublasSgemm_v2(void *, int ta, int tb, int m, int n, int k, const float *alpha, const float *a, int lda, const float *b, int ldb,
	const float *beta, float *c, int ldc) {
	return product(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
int cublasDgemm_v2(void *, int ta, int tb, int m, int n, int k, const double *alpha, const double *a, int lda, const double *b, int ldb,
	const double *beta, double *c, int ldc) {
	return product(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
}
