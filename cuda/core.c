//go:build gpu

#include "core.h"
#include <cuda.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

// The forms of these functions that every driver has had since they came; later headers name newer ones.
#undef cuStreamGetCaptureInfo
#undef cuGraphExecKernelNodeSetParams
#if CUDA_VERSION >= 12000
CUresult CUDAAPI cuGraphExecKernelNodeSetParams(CUgraphExec exec, CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v1 *params);
#endif
#if CUDA_VERSION >= 13000
CUresult CUDAAPI cuStreamGetCaptureInfo_v2(CUstream stream, CUstreamCaptureStatus *status, cuuint64_t *id, CUgraph *graph,
	const CUgraphNode **nodes, size_t *count);
#endif

enum { blas_failed = 10000 };

// A product of float32 with bias and activation.
static int fused(const aegis_step *s, CUstream stream, aegis_blas *blas, const aegis_lt *lt) {
	enum { bias_pointer = 8 };
	float one = 1, none = s->add;
	const void *product = s->factor ? (void *)*s->factor : &one, *added = s->factor ? (void *)(*s->factor + 16) : &none;
	int code = s->bias ? blas->set(lt->operation, bias_pointer, s->bias, sizeof *s->bias) : 0;
	if (code)
		return code;
	return blas->matmul(blas->lt, lt->operation, product, (void *)*s->from, lt->a, (void *)*s->b, lt->b, added, (void *)*s->to, lt->c, (void *)*s->to,
		lt->c, lt->algorithm, (void *)blas->workspace, blas->workspaceBytes, stream);
}

static int product(const aegis_step *s, CUstream stream, aegis_blas *blas, int tf32) {
	enum { exact_mode = 0, tf32_mode = 3 };
	int code, mode = tf32 || s->brain ? tf32_mode : exact_mode; // TF32 holds bfloat16's numbers whole
	if (s->lt[tf32]) {
		code = fused(s, stream, blas, s->lt[tf32]);
		return code ? blas_failed + code : 0;
	}
	if (blas->mode != mode && (code = blas->setMode(blas->handle, mode)))
		return blas_failed + code;
	blas->mode = mode;
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

static int step(const aegis_step *s, CUstream stream, aegis_blas *blas, int mode) {
	if (aegis_skips(s, mode))
		return 0;
	switch (s->kind) {
	case AEGIS_LAUNCH:
		return cuLaunchKernel(s->function, s->blocks, 1, 1, s->threads, 1, 1, 0, stream, s->args, NULL);
	case AEGIS_COPY:
		return cuMemcpyDtoDAsync(*s->to, *s->from, s->size, stream);
	case AEGIS_ZERO:
		return cuMemsetD8Async(*s->to, 0, s->size, stream);
	case AEGIS_PRODUCT:
		return product(s, stream, blas, mode != AEGIS_FULL);
	}
	return CUDA_ERROR_INVALID_VALUE;
}

int aegis_run(const aegis_part *part, void *stream, aegis_blas *blas, int wait, int *at) {
	for (*at = 0; *at < part->count; ++*at) {
		int code = step(&part->steps[*at], stream, blas, part->mode);
		if (!code && wait)
			code = cuStreamSynchronize(stream);
		if (code)
			return code;
	}
	return 0;
}

// Runs the parts into the graph that is being captured, and takes down the nodes that the kernels become.
static int record(const aegis_part *parts, int count, CUstream stream, aegis_blas *blas, int *part, int *at, void **nodes) {
	for (*part = 0; *part < count; ++*part) {
		const aegis_part *p = &parts[*part];
		for (*at = 0; *at < p->count; ++*at, ++nodes) {
			int code = step(&p->steps[*at], stream, blas, p->mode);
			if (code)
				return code;
			if (p->steps[*at].kind != AEGIS_LAUNCH || aegis_skips(&p->steps[*at], p->mode))
				continue;
			CUstreamCaptureStatus status;
			const CUgraphNode *last;
			size_t n;
			code = cuStreamGetCaptureInfo_v2(stream, &status, NULL, NULL, &last, &n);
			if (code)
				return code;
			if (status != CU_STREAM_CAPTURE_STATUS_ACTIVE || n != 1)
				return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
			*nodes = last[0];
		}
	}
	return 0;
}

int aegis_capture(const aegis_part *parts, int count, void *stream, aegis_blas *blas, const aegis_movers *movers, int *part, int *at, aegis_replay *replay) {
	CUgraph graph = NULL;
	size_t steps = 0, words = 0;
	for (int i = 0; i < count; i++)
		for (int j = 0; j < parts[i].count; j++, steps++)
			words += parts[i].steps[j].bytes / sizeof(uint64_t);
	replay->nodes = calloc(steps + 1, sizeof(void *));
	replay->values = calloc(words + 1, sizeof(uint64_t));
	*part = count;
	// No other stream of ours is captured, and what other threads do is theirs.
	int code = cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
	if (code)
		return code;
	int failed = record(parts, count, stream, blas, part, at, replay->nodes);
	code = cuStreamEndCapture(stream, &graph);
	replay->graph = graph;
	if (failed)
		return failed;
	if (!code)
		code = aegis_kernels_alone(graph, movers, &replay->others);
	if (!code)
		code = cuGraphInstantiateWithFlags((CUgraphExec *)&replay->exec, graph, 0);
	uint64_t *values = replay->values;
	for (int i = 0; i < count; i++)
		for (int j = 0; j < parts[i].count; j++) {
			const aegis_step *s = &parts[i].steps[j];
			memcpy(values, s->values, s->bytes);
			values += s->bytes / sizeof(uint64_t);
		}
	return code;
}

int aegis_replay_launch(const aegis_part *parts, int count, aegis_replay *replay, void *stream) {
	uint64_t *values = replay->values;
	void **node = replay->nodes;
	for (int i = 0; i < count; i++)
		for (int j = 0; j < parts[i].count; j++, node++) {
			const aegis_step *s = &parts[i].steps[j];
			if (*node && memcmp(values, s->values, s->bytes)) {
				CUDA_KERNEL_NODE_PARAMS_v1 params = {s->function, s->blocks, 1, 1, s->threads, 1, 1, 0, s->args, NULL};
				int code = cuGraphExecKernelNodeSetParams(replay->exec, *node, &params);
				if (code)
					return code;
				memcpy(values, s->values, s->bytes);
			}
			values += s->bytes / sizeof(uint64_t);
		}
	return cuGraphLaunch(replay->exec, stream);
}

int aegis_replay_free(aegis_replay *replay) {
	int code = replay->exec ? cuGraphExecDestroy(replay->exec) : 0, other = replay->graph ? cuGraphDestroy(replay->graph) : 0;
	free(replay->nodes);
	free(replay->values);
	memset(replay, 0, sizeof *replay);
	return code ? code : other;
}

// What cuBLASLt answers when it is asked for algorithms, the one that it thinks fastest first.
typedef struct {
	uint64_t algorithm[8];
	size_t workspace;
	int state;
	float waves;
	int reserved[4];
} found;

enum { most_answers = 8 };

// The first answer of a tile that doesn't split what is summed over, else the first.
static const found *chosen(aegis_blas *blas, const found *answers, int count, int32_t tile) {
	enum { tile_of = 1, splits_of = 2 };
	for (int i = 0; tile && i < count; i++) {
		int32_t has = 0, splits = 0;
		size_t written;
		if (!answers[i].state && !blas->about(answers[i].algorithm, tile_of, &has, sizeof has, &written) &&
			!blas->about(answers[i].algorithm, splits_of, &splits, sizeof splits, &written) && has == tile && splits <= 1)
			return &answers[i];
	}
	return answers;
}

// Finds an algorithm for a product with bias and activation.
int aegis_lt_prepare(aegis_blas *blas, const aegis_step *s, int tf32, aegis_lt *lt) {
	enum { real32 = 0, compute32 = 68, compute_tf32 = 77, pointers = 2, transposeA = 3, transposeB = 4, epilogue = 7, bias_pointer = 8 };
	enum { workspace = 1, alignmentA = 5, alignmentB = 6, alignmentC = 7, alignmentD = 8, as_is = 1, relu = 2, bias = 4, not_supported = 15 };
	void *preference = NULL;
	int32_t kind = s->relu || s->bias ? (s->relu ? relu : 0) | (s->bias ? bias : 0) : as_is;
	uint64_t like = 4096 + s->aligned; // an address that is aligned so and no better: only that is looked at
	int count = 0, code;
	int32_t on_device = 1;
	found answers[most_answers];
	lt->blas = blas;
	if ((code = blas->describe(&lt->operation, tf32 && s->dtype == real32 ? compute_tf32 : compute32, real32)) ||
		(s->factor && (code = blas->set(lt->operation, pointers, &on_device, sizeof on_device))) ||
		(code = blas->set(lt->operation, transposeA, &s->transposeA, sizeof s->transposeA)) ||
		(code = blas->set(lt->operation, transposeB, &s->transposeB, sizeof s->transposeB)) ||
		(code = blas->set(lt->operation, epilogue, &kind, sizeof kind)) ||
		(s->bias && (code = blas->set(lt->operation, bias_pointer, &like, sizeof like))) ||
		(code = blas->layout(&lt->a, s->dtype, s->transposeA ? s->k : s->m, s->transposeA ? s->m : s->k, s->lda)) ||
		(code = blas->layout(&lt->b, s->dtype, s->transposeB ? s->n : s->k, s->transposeB ? s->k : s->n, s->ldb)) ||
		(code = blas->layout(&lt->c, real32, s->m, s->n, s->ldc)) ||
		(code = blas->prefer(&preference)) ||
		(code = blas->setPreference(preference, workspace, &blas->workspaceBytes, sizeof blas->workspaceBytes)) ||
		(code = blas->setPreference(preference, alignmentA, &s->aligned, sizeof s->aligned)) ||
		(code = blas->setPreference(preference, alignmentB, &s->aligned, sizeof s->aligned)) ||
		(code = blas->setPreference(preference, alignmentC, &s->aligned, sizeof s->aligned)) ||
		(code = blas->setPreference(preference, alignmentD, &s->aligned, sizeof s->aligned)))
		goto done;
	code = blas->find(blas->lt, lt->operation, lt->a, lt->b, lt->c, lt->c, preference, s->tile ? most_answers : 1, answers, &count);
	if (!code && !count)
		code = not_supported;
	if (!code)
		memcpy(lt->algorithm, chosen(blas, answers, count, s->tile)->algorithm, sizeof lt->algorithm);
done:
	if (preference)
		blas->forget[2](preference);
	return code;
}

void aegis_lt_free(aegis_lt *lt) {
	if (lt->operation)
		lt->blas->forget[0](lt->operation);
	void *layouts[] = {lt->a, lt->b, lt->c};
	for (int i = 0; i < 3; i++)
		if (layouts[i])
			lt->blas->forget[1](layouts[i]);
	free(lt);
}

int aegis_host_alloc(void **memory, size_t bytes) { return cuMemHostAlloc(memory, bytes, 0); }
int aegis_alloc_async(uint64_t *address, size_t bytes, void *stream) { return cuMemAllocAsync((CUdeviceptr *)address, bytes, stream); }
int aegis_free_async(uint64_t address, void *stream) { return cuMemFreeAsync(address, stream); }

int aegis_param_size(void *function, int index, size_t *bytes) {
#if CUDA_VERSION >= 12040
	size_t offset;
	return cuFuncGetParamInfo(function, index, &offset, bytes);
#else
	return CUDA_ERROR_NOT_FOUND;
#endif
}

int aegis_most_threads(void *function, int *threads) {
	return cuFuncGetAttribute(threads, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, function);
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
