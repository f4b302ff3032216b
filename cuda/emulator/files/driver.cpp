// The driver's functions: what package cuda and gorgonia.org/cu call. Work waits in the stream until somebody waits for it.
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <vector>

#include "emulator.h"

namespace {

std::recursive_mutex lock;
std::deque<std::function<void()>> stream;
struct Graph {
	std::vector<std::function<void()>> nodes;
};
Graph *capturing;
Fault failure;
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
	int code = failure.code;
	if (code)
		last_text = failure.text;
	failure = {};
	return code;
}

struct Held {
	std::lock_guard<std::recursive_mutex> guard{lock};
};

const std::map<int, const char *> names = {
	{invalid_value, "CUDA_ERROR_INVALID_VALUE"}, {out_of_memory, "CUDA_ERROR_OUT_OF_MEMORY"}, {no_device, "CUDA_ERROR_NO_DEVICE"},
	{101, "CUDA_ERROR_INVALID_DEVICE"}, {200, "CUDA_ERROR_INVALID_IMAGE"}, {not_found, "CUDA_ERROR_NOT_FOUND"},
	{illegal_address, "CUDA_ERROR_ILLEGAL_ADDRESS"}, {launch_failed, "CUDA_ERROR_LAUNCH_FAILED"},
};

} // namespace

void fail(int code, const std::string &text) {
	if (!failure.code)
		failure = {code, text};
}

void enqueue(std::function<void()> work) {
	Held held;
	if (capturing)
		capturing->nodes.push_back(std::move(work));
	else
		stream.push_back(std::move(work));
}

extern "C" {

int cuInit(unsigned) { return success; }
int cuDriverGetVersion(int *v) { *v = 13000; return success; }
int cuDeviceGetCount(int *n) { *n = 1; return success; }
int cuDeviceGet(int *device, int i) { *device = i; return i == 0 ? success : 101; }
int cuDeviceGetName(char *name, int n, int) { snprintf(name, n, "emulated device"); return success; }
int cuDeviceGetAttribute(int *v, int attribute, int) {
	static const std::map<int, int> values = {{1, 1024}, {2, 1024}, {5, 1 << 30}, {10, 32}, {16, 2}, {75, 9}, {76, 0}};
	auto it = values.find(attribute);
	*v = it == values.end() ? 0 : it->second;
	return success;
}
int cuDeviceTotalMem_v2(size_t *n, int) { *n = 8ull << 30; return success; }
int cuDevicePrimaryCtxRetain(void **c, int) { *c = &context; return success; }
int cuCtxSetCurrent(void *) { return success; }
int cuCtxGetCurrent(void **c) { *c = &context; return success; }
int cuCtxSynchronize() { Held held; return drain(); }
int cuStreamCreate(void **s, unsigned) { *s = &stream; return success; }
int cuStreamSynchronize(void *) { Held held; return drain(); }
int cuMemGetInfo_v2(size_t *free, size_t *total) { *total = 8ull << 30; *free = *total - allocated_bytes(); return success; }
int cuMemAlloc_v2(uint64_t *p, size_t n) { Held held; return allocate(p, n); }
int cuMemFree_v2(uint64_t p) {
	Held held;
	int code = drain();
	int released = release(p);
	return code ? code : released;
}
int cuMemHostAlloc(void **p, size_t n, unsigned) { *p = malloc(n); return *p ? success : out_of_memory; }
int cuMemFreeHost(void *p) { free(p); return success; }

int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t n, void *) {
	std::string bytes((const char *)from, n); // as from memory that is not pinned
	enqueue([=] {
		std::string why;
		if (!inside(to, n, &why))
			return fail(illegal_address, "upload: " + why);
		memcpy((void *)to, bytes.data(), n);
		written(to, n);
	});
	return success;
}
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t n, void *) {
	enqueue([=] {
		std::string why;
		if (!inside(from, n, &why))
			return fail(illegal_address, "download: " + why);
		memcpy(to, (void *)from, n);
	});
	return success;
}
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t n, void *) {
	enqueue([=] {
		std::string why;
		if (!inside(from, n, &why) || !inside(to, n, &why))
			return fail(illegal_address, "copy: " + why);
		memcpy((void *)to, (void *)from, n);
		written(to, n);
	});
	return success;
}
int cuMemsetD8Async(uint64_t to, unsigned char value, size_t n, void *) {
	enqueue([=] {
		std::string why;
		if (!inside(to, n, &why))
			return fail(illegal_address, "memset: " + why);
		memset((void *)to, value, n);
		written(to, n);
	});
	return success;
}

// A module is the shared library that the emulated NVRTC made.
int cuModuleLoadData(void **module, const void *image) {
	Held held;
	auto elf = (const unsigned char *)image;
	if (memcmp(elf, "\177ELF", 4) != 0)
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
	if (!gx || !bx || bx > 1024 || gy * gz * by * bz != 1)
		return invalid_value;
	std::vector<std::string> values;
	for (int i = 0; i < function->kernel->count; i++)
		values.emplace_back((const char *)arguments[i], function->kernel->sizes[i]);
	enqueue([=] {
		std::vector<std::vector<uint64_t>> aligned;
		std::vector<void *> list;
		for (auto &v : values) {
			aligned.emplace_back((v.size() + 7) / 8);
			memcpy(aligned.back().data(), v.data(), v.size());
			list.push_back(aligned.back().data());
		}
		run_grid(function->name, function->kernel, gx, bx, list.data());
	});
	return success;
}

int cuStreamBeginCapture_v2(void *, int) { Held held; capturing = new Graph; return success; }
int cuStreamEndCapture(void *, void **graph) { Held held; *graph = capturing; capturing = nullptr; return success; }
int cuGraphInstantiateWithFlags(void **exec, void *graph, uint64_t) { *exec = new Graph(*(Graph *)graph); return success; }
int cuGraphDestroy(void *graph) { delete (Graph *)graph; return success; }
int cuGraphExecDestroy(void *graph) { Held held; int code = drain(); delete (Graph *)graph; return code; }
int cuGraphLaunch(void *graph, void *) {
	Held held;
	for (auto &work : ((Graph *)graph)->nodes)
		enqueue(work);
	return success;
}

// The name carries what the emulated device found, which a real one doesn't say.
int cuGetErrorName(int code, const char **name) {
	static std::map<std::string, std::string> kept;
	auto it = names.find(code);
	if (it == names.end())
		return invalid_value;
	std::string text = it->second;
	if ((code == illegal_address || code == launch_failed) && !last_text.empty())
		text += ": " + last_text;
	*name = kept.emplace(text, text).first->second.c_str();
	return success;
}
}
