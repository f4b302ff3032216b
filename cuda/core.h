//go:build gpu

#include <stddef.h>
#include <stdint.h>

// What gorgonia.org/cu lacks: a plan run by one call, its capture as a graph, and libraries opened at run time.

enum aegis_kind { AEGIS_LAUNCH, AEGIS_COPY, AEGIS_ZERO, AEGIS_PRODUCT };

// A step of a plan. Where arrays lie is read through pointers, so that they may move between runs.
typedef struct {
	int32_t kind;
	uint32_t blocks, threads; // launch
	void *function;
	void **args;
	uint64_t *to, *from; // copy, zero; of a product c and a
	size_t bytes;
	int32_t wide, add, transposeA, transposeB, m, n, k, lda, ldb, ldc; // product, of columns as cuBLAS has them
	uint64_t *b;
} aegis_step;

typedef struct {
	void *handle;
	int (*single)(void *, int, int, int, int, int, const float *, const float *, int, const float *, int, const float *, float *, int);
	int (*wide)(void *, int, int, int, int, int, const double *, const double *, int, const double *, int, const double *, double *, int);
} aegis_blas;

// aegis_run walks the steps; at is where it stopped. The answer is the driver's, or 10000 and more for cuBLAS's.
int aegis_run(aegis_step *steps, int count, void *stream, aegis_blas *blas, int *at);
int aegis_capture(aegis_step *steps, int count, void *stream, aegis_blas *blas, int *at, void **graph);
int aegis_graph_launch(void *graph, void *stream);
int aegis_graph_free(void *graph);
int aegis_host_alloc(void **memory, size_t bytes);
int aegis_param_size(void *function, int index, size_t *bytes);
const char *aegis_error_name(int code);

void *aegis_open(const char *path, char **error);
void *aegis_symbol(void *library, const char *name);
int aegis_call(void *function, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d, uintptr_t e, uintptr_t f);
