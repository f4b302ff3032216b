//go:build gpu

#include "core.h"
#include <cuda.h>
#include <dlfcn.h>
#include <string.h>

enum { blas_failed = 10000 };

static int product(const aegis_step *s, aegis_blas *blas) {
	int code;
	if (s->wide) {
		double one = 1, none = s->add;
		code = blas->wide(blas->handle, s->transposeA, s->transposeB, s->m, s->n, s->k, &one, (const double *)*s->from, s->lda,
			(const double *)*s->b, s->ldb, &none, (double *)*s->to, s->ldc);
	} else {
		float one = 1, none = s->add;
		code = blas->single(blas->handle, s->transposeA, s->transposeB, s->m, s->n, s->k, &one, (const float *)*s->from, s->lda,
			(const float *)*s->b, s->ldb, &none, (float *)*s->to, s->ldc);
	}
	return code ? blas_failed + code : 0;
}

static int step(const aegis_step *s, CUstream stream, aegis_blas *blas) {
	switch (s->kind) {
	case AEGIS_LAUNCH:
		return cuLaunchKernel(s->function, s->blocks, 1, 1, s->threads, 1, 1, 0, stream, s->args, NULL);
	case AEGIS_COPY:
		return cuMemcpyDtoDAsync(*s->to, *s->from, s->bytes, stream);
	case AEGIS_ZERO:
		return cuMemsetD8Async(*s->to, 0, s->bytes, stream);
	case AEGIS_PRODUCT:
		return product(s, blas);
	}
	return CUDA_ERROR_INVALID_VALUE;
}

int aegis_run(aegis_step *steps, int count, void *stream, aegis_blas *blas, int *at) {
	for (*at = 0; *at < count; ++*at) {
		int code = step(&steps[*at], stream, blas);
		if (code)
			return code;
	}
	return 0;
}

int aegis_capture(aegis_step *steps, int count, void *stream, aegis_blas *blas, int *at, void **graph) {
	CUgraph captured = NULL;
	int code = cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
	*at = count;
	if (code)
		return code;
	int failed = aegis_run(steps, count, stream, blas, at);
	code = cuStreamEndCapture(stream, &captured);
	if (!failed && !code)
		code = cuGraphInstantiateWithFlags((CUgraphExec *)graph, captured, 0);
	if (captured)
		cuGraphDestroy(captured);
	return failed ? failed : code;
}

int aegis_graph_launch(void *graph, void *stream) { return cuGraphLaunch(graph, stream); }
int aegis_graph_free(void *graph) { return cuGraphExecDestroy(graph); }
int aegis_host_alloc(void **memory, size_t bytes) { return cuMemHostAlloc(memory, bytes, 0); }

int aegis_param_size(void *function, int index, size_t *bytes) {
#if CUDA_VERSION >= 12040
	size_t offset;
	return cuFuncGetParamInfo(function, index, &offset, bytes);
#else
	return CUDA_ERROR_NOT_FOUND;
#endif
}

const char *aegis_error_name(int code) {
	const char *name = NULL;
	cuGetErrorName(code, &name);
	return name;
}

void *aegis_open(const char *path, char **error) {
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	*error = library ? NULL : strdup(dlerror());
	return library;
}

void *aegis_symbol(void *library, const char *name) { return dlsym(library, name); }

int aegis_call(void *function, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d, uintptr_t e, uintptr_t f) {
	return ((int (*)(uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t))function)(a, b, c, d, e, f);
}
