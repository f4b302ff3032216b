//go:build gpu

#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define F(place, name) #name,
static const char *const names[] = {
#include "symbols.h"
};
#undef F

enum { count = sizeof names / sizeof *names, no_device = 100, not_found = 500 };

void *aegis_cuda_table[count] __attribute__((visibility("hidden")));
char *aegis_cuda_missing;

static int answer_success(void) { return 0; }
static int answer_no_device(void) { return no_device; }
static int answer_not_found(void) { return not_found; }

static void *absent(const char *name, void *library) {
	if (library)
		return answer_not_found;
	return strcmp(name, "cuInit") ? answer_no_device : answer_success;
}

__attribute__((constructor)) static void fill(void) {
	const char *path = getenv("AEGIS_CUDA_DRIVER");
	void *library = dlopen(path && *path ? path : "libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
	if (!library)
		aegis_cuda_missing = strdup(dlerror());
	for (int i = 0; i < count; i++) {
		void *address = library ? dlsym(library, names[i]) : NULL;
		aegis_cuda_table[i] = address ? address : absent(names[i], library);
	}
}
