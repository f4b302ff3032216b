//go:build gpu

#include <stddef.h>
#include <stdint.h>

// What gorgonia.org/cu lacks: plans run by one call, their capture as a graph, memory that is pinned or allocated in the
// stream, attributes of kernels, and libraries opened at run time.

enum aegis_kind { AEGIS_LAUNCH, AEGIS_COPY, AEGIS_ZERO, AEGIS_PRODUCT };
// How products of float32 are made: whole, in TF32, or in TF32 with what stays in half precision.
enum aegis_mode { AEGIS_FULL, AEGIS_TF32, AEGIS_HALF };

typedef struct aegis_blas aegis_blas;

// A product of cuBLASLt as it was prepared: descriptors, layouts and the algorithm found for them.
typedef struct {
	aegis_blas *blas;
	void *operation, *a, *b, *c;
	uint64_t algorithm[8];
} aegis_lt;

// A step of a plan. Where arrays lie is read through pointers, so that they may move between runs.
typedef struct {
	int32_t kind;
	int32_t when; // in which modes the step is taken, a bit each; 0: in all
	uint32_t blocks, threads; // launch
	void *function;
	void **args;     // into values
	uint64_t *values; // the arguments side by side
	uint32_t bytes;  // of them
	uint64_t *to, *from; // copy, zero; of a product c and a
	size_t size;
	int32_t wide, add, relu, transposeA, transposeB, m, n, k, lda, ldb, ldc; // product, of columns as cuBLAS has them
	int32_t brain; // of a product: its numbers are bfloat16's
	int32_t dtype; // of a product's a and b, as cuBLAS numbers them
	uint32_t aligned; // of a product by cuBLASLt: what divides its arrays' addresses
	uint64_t *b, *bias;
	uint64_t *factor; // of a product by cuBLASLt: two numbers on the device, that of the product and, 16 bytes on, that of what is added
	int32_t tile;     // of a product by cuBLASLt: the tile that it would best have, as cuBLASLt numbers them, or 0
	aegis_lt *lt[2];  // without TF32 and with; NULL: by cuBLAS itself
} aegis_step;

// Whether a step is left out in a mode.
static inline int aegis_skips(const aegis_step *s, int mode) { return s->when && !(s->when >> mode & 1); }

// A plan within a sequence.
typedef struct {
	aegis_step *steps;
	int count, mode;
} aegis_part;

// cuBLAS as far as products go, and cuBLASLt, whose lt is NULL where there is none.
struct aegis_blas {
	void *handle, *lt;
	uint64_t workspace;
	size_t workspaceBytes;
	int mode; // of the last product
	int (*setMode)(void *, int);
	int (*single)(void *, int, int, int, int, int, const float *, const float *, int, const float *, int, const float *, float *, int);
	int (*wide)(void *, int, int, int, int, int, const double *, const double *, int, const double *, int, const double *, double *, int);
	int (*matmul)(void *, void *, const void *, const void *, void *, const void *, void *, const void *, const void *, void *, void *, void *,
		const void *, void *, size_t, void *);
	int (*describe)(void **, int, int);
	int (*set)(void *, int, const void *, size_t);
	int (*layout)(void **, int, uint64_t, uint64_t, int64_t);
	int (*prefer)(void **);
	int (*setPreference)(void *, int, const void *, size_t);
	int (*find)(void *, void *, void *, void *, void *, void *, void *, int, void *, int *);
	int (*about)(const void *, int, void *, size_t, size_t *); // an algorithm
	int (*forget[3])(void *); // a description, a layout, a preference
};

// The kernels that set words and copy bytes. A driver launches a graph of kernels alone in a time that doesn't grow with their
// number; what cuBLAS adds to clear its counters, and our own plans' clearing and copying, become such kernels.
typedef struct {
	void *set, *copy;
} aegis_movers;

// A captured sequence: the graph ready to launch, the one it was made of, and the node of each kernel.
typedef struct {
	void *exec, *graph;
	void **nodes;
	uint64_t *values; // the arguments that the nodes have, side by side
	int others;       // nodes that are no kernels
} aegis_replay;

// Answers are the driver's, or 10000 and more for cuBLAS's. at is where the steps stopped.
int aegis_run(const aegis_part *part, void *stream, aegis_blas *blas, int wait, int *at);
int aegis_capture(const aegis_part *parts, int count, void *stream, aegis_blas *blas, const aegis_movers *movers, int *part, int *at, aegis_replay *replay);
// aegis_kernels_alone puts kernels in the place of what sets and copies memory in a graph, and counts what it had to leave.
int aegis_kernels_alone(void *graph, const aegis_movers *movers, int *others);
// aegis_replay_launch gives the nodes the arguments of now, and launches.
int aegis_replay_launch(const aegis_part *parts, int count, aegis_replay *replay, void *stream);
int aegis_replay_free(aegis_replay *replay);

int aegis_lt_prepare(aegis_blas *blas, const aegis_step *step, int tf32, aegis_lt *lt); // tf32: 0 or 1
void aegis_lt_free(aegis_lt *lt);

int aegis_host_alloc(void **memory, size_t bytes);
int aegis_alloc_async(uint64_t *address, size_t bytes, void *stream);
int aegis_free_async(uint64_t address, void *stream);
int aegis_param_size(void *function, int index, size_t *bytes);
int aegis_most_threads(void *function, int *threads);
const char *aegis_error_name(int code);

void *aegis_open(const char *path, char **error);
void *aegis_symbol(void *library, const char *name);
int aegis_call(void *function, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d, uintptr_t e, uintptr_t f);
