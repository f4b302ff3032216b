// The driver's functions: what package cuda and gorgonia.org/cu call. Work waits in the stream until somebody waits for it.
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "emulator.h"

namespace {

std::recursive_mutex lock;
using Work = std::function<void()>;
std::deque<Work> stream;

enum NodeType { kernel_node, copy_node, set_node };
struct Node {
	Work work;
	NodeType type = kernel_node;
	uint64_t to = 0, from = 0;
	size_t bytes = 0;
	unsigned value = 0;
};
struct Graph {
	std::vector<Node *> nodes;
};
// A graph that can be launched has copies of the nodes' work, found by the nodes that they were made of.
struct Exec {
	std::vector<Work> work;
	std::map<Node *, size_t> at;
};
struct Event {
	bool recorded;
};

Graph *capturing;
Node *captured; // last
std::set<Node *> nodes; // that have not been destroyed
std::set<Graph *> graphs;
Fault failure;  // of the stream, given at the next synchronisation
int lost;       // the code that everything answers after a fault
std::string last_text;
int context; // its address is the context

struct Function {
	const char *name;
	const EmulatedKernel *kernel;
};

int drain() {
	while (!stream.empty()) {
		auto work = std::move(stream.front());
		stream.pop_front();
		if (!failure.code)
			work();
	}
	if (failure.code) {
		last_text = failure.text;
		lost = failure.code;
		failure = {};
	}
	return lost;
}

struct Held {
	std::lock_guard<std::recursive_mutex> guard{lock};
};

const std::map<int, const char *> names = {
	{invalid_value, "CUDA_ERROR_INVALID_VALUE"}, {out_of_memory, "CUDA_ERROR_OUT_OF_MEMORY"}, {no_device, "CUDA_ERROR_NO_DEVICE"},
	{101, "CUDA_ERROR_INVALID_DEVICE"}, {200, "CUDA_ERROR_INVALID_IMAGE"}, {214, "CUDA_ERROR_ECC_UNCORRECTABLE"}, {218, "CUDA_ERROR_INVALID_PTX"},
	{not_found, "CUDA_ERROR_NOT_FOUND"}, {600, "CUDA_ERROR_NOT_READY"}, {illegal_address, "CUDA_ERROR_ILLEGAL_ADDRESS"},
	{709, "CUDA_ERROR_CONTEXT_IS_DESTROYED"}, {launch_failed, "CUDA_ERROR_LAUNCH_FAILED"},
};

// AEGIS_EMULATED_FAULT=CODE:KERNEL has the device fail with a code when a kernel of that name runs, once.
bool told_to_fail(const char *kernel) {
	const char *fault = getenv("AEGIS_EMULATED_FAULT");
	const char *name = fault ? strchr(fault, ':') : nullptr;
	if (!name || strcmp(name + 1, kernel) != 0)
		return false;
	fail(atoi(fault), std::string("kernel ") + kernel + ": told to fail");
	return true;
}

// AEGIS_EMULATED_RUN=off forgets kernels and products: what is left is what the host does.
Work unless_off(Work work) {
	static const char *run = getenv("AEGIS_EMULATED_RUN");
	return run && !strcmp(run, "off") ? [] {} : std::move(work);
}

// What a launch does later, with its arguments as they are now.
Work launch(Function *function, unsigned blocks, unsigned threads, void **arguments) {
	std::vector<std::string> values;
	for (int i = 0; i < function->kernel->count; i++)
		values.emplace_back((const char *)arguments[i], function->kernel->sizes[i]);
	return unless_off([=] {
		if (told_to_fail(function->name))
			return;
		std::vector<std::vector<uint64_t>> aligned;
		std::vector<void *> list;
		for (auto &v : values) {
			aligned.emplace_back((v.size() + 7) / 8);
			memcpy(aligned.back().data(), v.data(), v.size());
			list.push_back(aligned.back().data());
		}
		run_grid(function->name, function->kernel, blocks, threads, list.data());
	});
}

bool fits(unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz) {
	return gx && bx && bx <= 1024 && gy * gz * by * bz == 1;
}

// Has work that is being captured known as bytes set or copied.
int noted(int code, NodeType type, uint64_t to, uint64_t from, size_t bytes, unsigned value) {
	if (!code && capturing) {
		captured->type = type;
		captured->to = to, captured->from = from, captured->bytes = bytes, captured->value = value;
	}
	return code;
}

// Where a node is in a graph that is not launched yet, or its end.
std::vector<Node *>::iterator position(Graph *graph, void *node) { return std::find(graph->nodes.begin(), graph->nodes.end(), (Node *)node); }
Graph *graph_of(void *node) {
	for (auto graph : graphs)
		if (position(graph, node) != graph->nodes.end())
			return graph;
	return nullptr;
}

} // namespace

void fail(int code, const std::string &text) {
	if (!failure.code)
		failure = {code, text};
}

int enqueue(std::function<void()> work) {
	Held held;
	if (lost)
		return lost;
	if (!capturing) {
		stream.push_back(std::move(work));
		return success;
	}
	captured = new Node{std::move(work)};
	nodes.insert(captured);
	capturing->nodes.push_back(captured);
	return success;
}

int enqueue_computing(std::function<void()> work) { return enqueue(unless_off(std::move(work))); }

extern "C" {

int cuInit(unsigned) { return success; }
int cuDriverGetVersion(int *v) { *v = 13000; return success; }
int cuDeviceGetCount(int *n) { *n = 1; return success; }
int cuDeviceGet(int *device, int i) { *device = i; return i == 0 ? success : 101; }
int cuDeviceGetName(char *name, int n, int) { snprintf(name, n, "emulated device"); return success; }
int cuDeviceGetAttribute(int *v, int attribute, int) {
	static const std::map<int, int> values = {{1, 1024}, {2, 1024}, {5, 1 << 30}, {10, 32}, {16, 2}, {75, 0}, {76, 0}, {115, 1}}; // no card's capability, so that none takes its kernels
	auto it = values.find(attribute);
	*v = it == values.end() ? 0 : it->second;
	return success;
}
int cuDeviceTotalMem_v2(size_t *n, int) { *n = 8ull << 30; return success; }
int cuDevicePrimaryCtxRetain(void **c, int) { *c = &context; return success; }
// Forgives a fault. A GPU may not.
int cuDevicePrimaryCtxReset_v2(int) {
	Held held;
	stream.clear();
	failure = {};
	lost = success;
	return success;
}
int cuCtxSetCurrent(void *) { return lost; }
int cuCtxGetCurrent(void **c) { *c = &context; return success; }
int cuCtxSynchronize() { Held held; return drain(); }
int cuStreamCreate(void **s, unsigned) { *s = &stream; return success; }
int cuStreamSynchronize(void *) { Held held; return drain(); }

int cuEventCreate(void **e, unsigned) { *e = new Event{false}; return success; }
int cuEventDestroy_v2(void *e) { delete (Event *)e; return success; }
int cuEventRecord(void *e, void *) { ((Event *)e)->recorded = true; return lost; }
int cuEventQuery(void *) { return lost ? lost : stream.empty() ? success : 600; }
int cuEventSynchronize(void *) { Held held; return drain(); }

int cuMemGetInfo_v2(size_t *free, size_t *total) { *total = 8ull << 30; *free = *total - allocated_bytes(); return success; }
int cuMemAlloc_v2(uint64_t *p, size_t n) { Held held; return lost ? lost : allocate(p, n); }
int cuMemFree_v2(uint64_t p) {
	Held held;
	int code = drain();
	int released = release(p);
	return code ? code : released;
}
int cuMemAllocAsync(uint64_t *p, size_t n, void *) { return cuMemAlloc_v2(p, n); }
int cuMemFreeAsync(uint64_t p, void *) { return cuMemFree_v2(p); }
int cuMemHostAlloc(void **p, size_t n, unsigned) { Held held; return lost ? lost : pin(p, n); }
int cuMemFreeHost(void *p) { Held held; return unpin(p); }

int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t n, void *) {
	std::string bytes; // of memory that isn't pinned as they are now, else as they are then
	if (!pinned(from, n))
		bytes.assign((const char *)from, n);
	return enqueue([=] {
		std::string why;
		if (!inside(to, n, &why))
			return fail(illegal_address, "upload: " + why);
		memcpy((void *)to, bytes.empty() ? from : bytes.data(), n);
		written(to, n);
	});
}
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t n, void *) {
	return enqueue([=] {
		std::string why;
		if (!inside(from, n, &why))
			return fail(illegal_address, "download: " + why);
		memcpy(to, (void *)from, n);
	});
}
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t n, void *) {
	Held held;
	int code = enqueue([=] {
		std::string why;
		if (!inside(from, n, &why) || !inside(to, n, &why))
			return fail(illegal_address, "copy: " + why);
		memcpy((void *)to, (void *)from, n);
		written(to, n);
	});
	return noted(code, copy_node, to, from, n, 0);
}
int cuMemsetD8Async(uint64_t to, unsigned char value, size_t n, void *) {
	Held held;
	int code = enqueue([=] {
		std::string why;
		if (!inside(to, n, &why))
			return fail(illegal_address, "memset: " + why);
		memset((void *)to, value, n);
		written(to, n);
	});
	return noted(code, set_node, to, 0, n, value);
}

// A module is the shared library that the emulated NVRTC made.
int cuModuleLoadData(void **module, const void *image) {
	Held held;
	auto elf = (const unsigned char *)image;
	if (memcmp(elf, "\177ELF", 4) != 0)
		return 218;
	if (elf[18] == 190) // for a GPU
		return 200;
	uint64_t sections = *(const uint64_t *)(elf + 0x28);
	size_t bytes = sections + *(const uint16_t *)(elf + 0x3a) * (size_t)*(const uint16_t *)(elf + 0x3c);
	char path[] = "/tmp/aegis-emulated-XXXXXX";
	int file = mkstemp(path);
	if (file < 0 || write(file, image, bytes) != (ssize_t)bytes)
		return 200;
	close(file);
	*module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!*module)
		fprintf(stderr, "emulated device: %s\n", dlerror());
	else
		add_module(*module);
	unlink(path);
	return *module ? success : 200;
}
int cuModuleUnload(void *) { return success; }
int cuModuleGetFunction(void **f, void *module, const char *name) {
	auto kernel = (const EmulatedKernel *)dlsym(module, (std::string("emulated_kernel_") + name).c_str());
	if (!kernel)
		return not_found;
	*f = new Function{strdup(name), kernel};
	return success;
}
int cuFuncGetAttribute(int *v, int attribute, void *f) {
	*v = attribute == 0 ? ((Function *)f)->kernel->most_threads : 0;
	return success;
}
int cuFuncGetParamInfo(void *f, size_t index, size_t *offset, size_t *bytes) {
	auto k = ((Function *)f)->kernel;
	if (index >= (size_t)k->count)
		return invalid_value;
	*offset = 0;
	*bytes = k->sizes[index];
	return success;
}

int cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned, void *, void **arguments, void **) {
	auto function = (Function *)f;
	if (!fits(gx, gy, gz, bx, by, bz) || bx > (unsigned)function->kernel->most_threads)
		return invalid_value;
	return enqueue(launch(function, gx, bx, arguments));
}

int cuStreamBeginCapture_v2(void *, int) {
	Held held;
	capturing = new Graph;
	graphs.insert(capturing);
	captured = nullptr;
	return lost;
}
int cuStreamGetCaptureInfo_v2(void *, int *status, uint64_t *, void **, void *const **last, size_t *count) {
	Held held;
	*status = capturing != nullptr;
	*last = (void *const *)&captured;
	*count = captured != nullptr;
	return success;
}
int cuStreamEndCapture(void *, void **graph) { Held held; *graph = capturing; capturing = nullptr; return success; }
int cuGraphInstantiateWithFlags(void **exec, void *graph, uint64_t) {
	auto e = new Exec;
	for (auto node : ((Graph *)graph)->nodes) {
		e->at[node] = e->work.size();
		e->work.push_back(node->work);
	}
	*exec = e;
	return success;
}
int cuGraphDestroy(void *graph) {
	Held held;
	for (auto node : ((Graph *)graph)->nodes) {
		nodes.erase(node);
		delete node;
	}
	graphs.erase((Graph *)graph);
	delete (Graph *)graph;
	return success;
}
int cuGraphExecDestroy(void *exec) { delete (Exec *)exec; return success; }

struct KernelNode {
	Function *function;
	unsigned gx, gy, gz, bx, by, bz, shared;
	void **arguments, **extra;
};
int cuGraphExecKernelNodeSetParams(void *exec, void *node, const KernelNode *k) {
	Held held;
	auto e = (Exec *)exec;
	auto it = e->at.find((Node *)node);
	if (it == e->at.end() || !nodes.count((Node *)node) || !fits(k->gx, k->gy, k->gz, k->bx, k->by, k->bz))
		return invalid_value;
	e->work[it->second] = launch(k->function, k->gx, k->bx, k->arguments);
	return success;
}

// Graphs are lists: a node comes after the one before it, and before the one after.
int cuGraphGetNodes(void *graph, void **list, size_t *count) {
	auto &all = ((Graph *)graph)->nodes;
	for (size_t i = 0; list && i < *count && i < all.size(); i++)
		list[i] = all[i];
	*count = all.size();
	return success;
}
int cuGraphNodeGetType(void *node, int *type) { *type = ((Node *)node)->type; return success; }
int cuGraphNodeGetDependencies(void *node, void **before, size_t *count) {
	Held held;
	auto graph = graph_of(node);
	auto at = position(graph, node);
	*count = at != graph->nodes.begin();
	if (before && *count)
		*before = *(at - 1);
	return success;
}
int cuGraphNodeGetDependentNodes(void *node, void **after, size_t *count) {
	Held held;
	auto graph = graph_of(node);
	auto at = position(graph, node) + 1;
	*count = at != graph->nodes.end();
	if (after && *count)
		*after = *at;
	return success;
}
struct SetNode {
	uint64_t to;
	size_t pitch;
	unsigned value, each;
	size_t width, height;
};
int cuGraphMemsetNodeGetParams(void *node, SetNode *p) {
	auto n = (Node *)node;
	*p = SetNode{n->to, 0, n->value, 1, n->bytes, 1};
	return success;
}
struct CopyNode { // CUDA_MEMCPY3D
	size_t fromX, fromY, fromZ, fromLevel;
	int fromType;
	const void *fromHost;
	uint64_t from;
	void *fromArray, *reserved0;
	size_t fromPitch, fromHeight, toX, toY, toZ, toLevel;
	int toType;
	void *toHost;
	uint64_t to;
	void *toArray, *reserved1;
	size_t toPitch, toHeight, width, height, depth;
};
int cuGraphMemcpyNodeGetParams(void *node, CopyNode *p) {
	auto n = (Node *)node;
	*p = {};
	p->from = n->from, p->to = n->to, p->width = n->bytes, p->height = p->depth = 1, p->fromType = p->toType = 2;
	return success;
}
int cuGraphAddKernelNode(void **node, void *graph, void *const *before, size_t count, const KernelNode *k) {
	Held held;
	auto fresh = new Node{launch(k->function, k->gx, k->bx, k->arguments)};
	auto g = (Graph *)graph;
	g->nodes.insert(count ? position(g, *before) + 1 : g->nodes.begin(), fresh);
	nodes.insert(fresh);
	*node = fresh;
	return success;
}
int cuGraphAddDependencies(void *graph, void *const *from, void *const *to, size_t count) {
	Held held;
	auto g = (Graph *)graph;
	return count == 1 && position(g, *from) < position(g, *to) ? success : invalid_value;
}
int cuGraphDestroyNode(void *node) {
	Held held;
	auto graph = graph_of(node);
	graph->nodes.erase(position(graph, node));
	nodes.erase((Node *)node);
	delete (Node *)node;
	return success;
}
int cuGraphLaunch(void *exec, void *) {
	Held held;
	for (auto &work : ((Exec *)exec)->work)
		if (int code = enqueue(work))
			return code;
	return success;
}

// The name carries what the emulated device found, which a real one doesn't say.
int cuGetErrorName(int code, const char **name) {
	static std::map<std::string, std::string> kept;
	auto it = names.find(code);
	if (it == names.end())
		return invalid_value;
	std::string text = it->second;
	if (code == lost && !last_text.empty())
		text += ": " + last_text;
	*name = kept.emplace(text, text).first->second.c_str();
	return success;
}
}
