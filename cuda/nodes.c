//go:build gpu

#include "core.h"
#include <cuda.h>
#include <stdlib.h>

// The forms of these functions that every driver has had since they came.
#undef cuGraphAddKernelNode
#undef cuGraphAddDependencies
#undef cuGraphNodeGetDependencies
#undef cuGraphNodeGetDependentNodes
#if CUDA_VERSION >= 12000
CUresult CUDAAPI cuGraphAddKernelNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *before, size_t count, const CUDA_KERNEL_NODE_PARAMS_v1 *params);
#endif
#if CUDA_VERSION >= 13000
CUresult CUDAAPI cuGraphAddDependencies(CUgraph graph, const CUgraphNode *from, const CUgraphNode *to, size_t count);
CUresult CUDAAPI cuGraphNodeGetDependencies(CUgraphNode node, CUgraphNode *before, size_t *count);
CUresult CUDAAPI cuGraphNodeGetDependentNodes(CUgraphNode node, CUgraphNode *after, size_t *count);
#endif

// What a node that is no kernel does, as bytes to be set or copied.
typedef struct {
	CUdeviceptr to, from;
	uint32_t value;
	size_t bytes;
} deed;

// Reads a node that sets memory. It is false where that is no row of whole words.
static int sets(CUgraphNode node, deed *d) {
	CUDA_MEMSET_NODE_PARAMS p;
	if (cuGraphMemsetNodeGetParams(node, &p) || p.height != 1 || (p.elementSize != 1 && p.elementSize != 4))
		return 0;
	*d = (deed){p.dst, 0, p.elementSize == 1 ? (p.value & 0xff) * 0x01010101u : p.value, p.width * p.elementSize};
	return d->to % 4 == 0 && d->bytes % 4 == 0;
}

// Reads a node that copies memory. It is false where that is no row of the device's.
static int copies(CUgraphNode node, deed *d) {
	CUDA_MEMCPY3D p;
	if (cuGraphMemcpyNodeGetParams(node, &p) || p.Height != 1 || p.Depth != 1 || p.srcMemoryType != CU_MEMORYTYPE_DEVICE ||
		p.dstMemoryType != CU_MEMORYTYPE_DEVICE)
		return 0;
	*d = (deed){p.dstDevice + p.dstXInBytes, p.srcDevice + p.srcXInBytes, 0, p.WidthInBytes};
	return 1;
}

static CUDA_KERNEL_NODE_PARAMS_v1 launch(void *kernel, size_t units, void **args) {
	enum { threads = 256, most = 1 << 16 };
	size_t blocks = (units + threads - 1) / threads;
	return (CUDA_KERNEL_NODE_PARAMS_v1){kernel, blocks < 1 ? 1 : blocks > most ? most : blocks, 1, 1, threads, 1, 1, 0, args, NULL};
}

// Puts a kernel in a node's place. A node that has more than one before or after it stays.
static int replace(CUgraph graph, CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v1 *kernel, int *others) {
	CUgraphNode before, after, fresh;
	size_t n = 0, m = 0;
	int code;
	if (cuGraphNodeGetDependencies(node, NULL, &n) || cuGraphNodeGetDependentNodes(node, NULL, &m) || n > 1 || m > 1 ||
		(n && cuGraphNodeGetDependencies(node, &before, &n)) || (m && cuGraphNodeGetDependentNodes(node, &after, &m)) ||
		cuGraphAddKernelNode(&fresh, graph, n ? &before : NULL, n, kernel)) {
		++*others;
		return 0;
	}
	if (m && (code = cuGraphAddDependencies(graph, &fresh, &after, 1)))
		return code;
	return cuGraphDestroyNode(node);
}

int aegis_kernels_alone(void *graph, const aegis_movers *movers, int *others) {
	size_t count = 0;
	int code = cuGraphGetNodes(graph, NULL, &count);
	if (code)
		return code;
	CUgraphNode *nodes = calloc(count + 1, sizeof *nodes);
	code = cuGraphGetNodes(graph, nodes, &count);
	for (size_t i = 0; !code && i < count; i++) {
		CUgraphNodeType type;
		deed d;
		if ((code = cuGraphNodeGetType(nodes[i], &type)) || type == CU_GRAPH_NODE_TYPE_KERNEL)
			continue;
		if (type == CU_GRAPH_NODE_TYPE_MEMSET && sets(nodes[i], &d)) {
			int64_t words = d.bytes / 4;
			CUDA_KERNEL_NODE_PARAMS_v1 kernel = launch(movers->set, words, (void *[]){&d.to, &d.value, &words});
			code = replace(graph, nodes[i], &kernel, others);
		} else if (type == CU_GRAPH_NODE_TYPE_MEMCPY && copies(nodes[i], &d)) {
			int64_t bytes = d.bytes;
			CUDA_KERNEL_NODE_PARAMS_v1 kernel = launch(movers->copy, bytes / 16, (void *[]){&d.to, &d.from, &bytes});
			code = replace(graph, nodes[i], &kernel, others);
		} else {
			++*others;
		}
	}
	free(nodes);
	return code;
}
