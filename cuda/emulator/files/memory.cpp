// Device memory, and the checks of every access that a kernel makes: the compiler's thread sanitizer calls the functions at
// the end before each.
#include <dlfcn.h>
#include <link.h>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <vector>

#include "emulator.h"

namespace {

// Who touched four bytes last, in which launch and between which barriers.
struct Touch {
	uint32_t launch, block, phase, thread;
};
const uint32_t several = ~0u;

struct Cell {
	Touch write, read;
	bool written;
};

struct Region {
	uint64_t begin, end;
	bool shared; // memory of a block, within the kernel's own image
	std::vector<Cell> cells;
};

std::map<uint64_t, Region> regions; // by their ends
std::set<uint64_t> host;            // where those begin that are the host's
uint32_t launch = 1;
size_t total;

Region *region_of(uint64_t address) {
	static Region *last;
	static uint32_t seen;
	if (last && seen == launch && address >= last->begin && address < last->end)
		return last;
	auto it = regions.upper_bound(address);
	if (it == regions.end() || address < it->second.begin)
		return nullptr;
	last = &it->second;
	seen = launch;
	return last;
}

std::vector<std::pair<uint64_t, uint64_t>> constant; // images of the library and of kernels, read only

bool is_constant(uint64_t address) {
	for (auto &c : constant)
		if (address >= c.first && address < c.second)
			return true;
	return false;
}

void add_region(uint64_t begin, size_t bytes, bool shared) {
	regions[begin + bytes] = Region{begin, begin + bytes, shared, std::vector<Cell>((bytes + 3) / 4 + 1)};
}

struct Image {
	const char *path;
	bool shared;
};

int add_segments(dl_phdr_info *info, size_t, void *data) {
	auto image = (Image *)data;
	if (strcmp(info->dlpi_name, image->path) != 0)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		auto &p = info->dlpi_phdr[i];
		if (p.p_type != PT_LOAD)
			continue;
		uint64_t begin = info->dlpi_addr + p.p_vaddr;
		if (image->shared && (p.p_flags & PF_W))
			add_region(begin, p.p_memsz, true);
		else
			constant.push_back({begin, begin + p.p_memsz});
	}
	return 1;
}

std::string here() {
	char text[200];
	snprintf(text, sizeof text, "kernel %s, thread %u of block %u", running, emulated_thread.x, emulated_block.x);
	return text;
}

std::string at(uint64_t address, size_t bytes) {
	char text[100];
	snprintf(text, sizeof text, "%zu bytes at 0x%llx", bytes, (unsigned long long)address);
	return text;
}

// Whether an access of one thread and another's are in no order.
bool unordered(const Touch &t) {
	if (t.launch != launch)
		return false;
	if (t.block != emulated_block.x)
		return true;
	return t.phase == phase && t.thread != emulated_thread.x;
}

void remember(Touch &t) {
	bool same = t.launch == launch;
	uint32_t block = same && t.block != emulated_block.x ? several : emulated_block.x;
	uint32_t thread = same && t.phase == phase && t.thread != emulated_thread.x ? several : emulated_thread.x;
	t = {launch, block, phase, thread};
}

// Accesses of less than four bytes are not told apart, so that they are not checked further.
void check_cell(const Region &r, Cell &c, uint64_t address, size_t bytes, bool write) {
	if (r.shared && c.write.launch == launch && c.write.block != emulated_block.x)
		c = Cell{}; // the block before is gone
	if (!write && !c.written && bytes >= 4)
		stop_thread(illegal_address, here() + " reads " + at(address, bytes) + ", which nothing has written");
	if (bytes >= 4) {
		bool shared_read = r.shared && c.read.launch == launch && c.read.block != emulated_block.x;
		if (unordered(c.write))
			stop_thread(launch_failed, here() + (write ? " writes " : " reads ") + at(address, bytes) + ", which another thread writes: a race");
		if (write && !shared_read && unordered(c.read))
			stop_thread(launch_failed, here() + " writes " + at(address, bytes) + ", which another thread reads: a race");
		remember(write ? c.write : c.read);
	}
	if (write)
		c.written = true;
}

void check(uint64_t address, size_t bytes, bool write) {
	if (!running)
		return; // a module's own start
	Region *r = region_of(address);
	if (!r) {
		if (on_thread_stack(address) || (!write && is_constant(address)))
			return;
		stop_thread(illegal_address, here() + (write ? " writes " : " reads ") + at(address, bytes) + ", which is no device memory");
	}
	if (address + bytes > r->end)
		stop_thread(illegal_address, here() + (write ? " writes " : " reads ") + at(address, bytes) + ", past the end of an array");
	for (uint64_t cell = address; cell < address + bytes; cell += 4)
		check_cell(*r, r->cells[(cell - r->begin) / 4], address, bytes, write);
}

struct Self {
	Self() {
		Dl_info info;
		if (dladdr((void *)&allocate, &info)) {
			Image image{info.dli_fname, false};
			dl_iterate_phdr(add_segments, &image);
		}
	}
} self;

} // namespace

int allocate(uint64_t *address, size_t bytes) {
	const char *limit = getenv("AEGIS_EMULATED_BYTES");
	if (total + bytes > (limit ? strtoull(limit, nullptr, 10) : 8ull << 30))
		return out_of_memory;
	void *p;
	if (posix_memalign(&p, 256, bytes + 256))
		return out_of_memory;
	memset(p, 0xff, bytes); // NaN where a float is read
	*address = (uint64_t)p;
	add_region(*address, bytes, false);
	total += bytes;
	return success;
}

int release(uint64_t address) {
	auto it = regions.upper_bound(address);
	if (it == regions.end() || it->second.begin != address || it->second.shared || host.count(address))
		return invalid_value;
	total -= it->second.end - address;
	regions.erase(it);
	launch++; // region_of must not remember it
	free((void *)address);
	return success;
}

size_t allocated_bytes() { return total; }

int pin(void **address, size_t bytes) {
	if (posix_memalign(address, 256, bytes + 256))
		return out_of_memory;
	add_region((uint64_t)*address, bytes, false);
	host.insert((uint64_t)*address);
	return success;
}

int unpin(void *address) {
	auto it = regions.upper_bound((uint64_t)address);
	if (it == regions.end() || !host.erase((uint64_t)address))
		return invalid_value;
	regions.erase(it);
	launch++;
	free(address);
	return success;
}

bool pinned(const void *address, size_t bytes) {
	Region *r = region_of((uint64_t)address);
	return r && host.count(r->begin) && (uint64_t)address + bytes <= r->end;
}

bool inside(uint64_t address, size_t bytes, std::string *why) {
	Region *r = region_of(address);
	if (r && !r->shared && !host.count(r->begin) && address + bytes <= r->end)
		return true;
	*why = at(address, bytes) + " are not within one piece of device memory";
	return false;
}

void written(uint64_t address, size_t bytes) {
	Region *r = region_of(address);
	for (uint64_t a = address; r && a < address + bytes; a += 4)
		r->cells[(a - r->begin) / 4].written = true;
}

void add_module(void *library) {
	link_map *map;
	if (dlinfo(library, RTLD_DI_LINKMAP, &map) == 0) {
		Image image{map->l_name, true};
		dl_iterate_phdr(add_segments, &image);
	}
}

void begin_launch() { launch++; }

#define ACCESS(bytes) \
	void __tsan_read##bytes(void *p) { check((uint64_t)p, bytes, false); } \
	void __tsan_write##bytes(void *p) { check((uint64_t)p, bytes, true); } \
	void __tsan_unaligned_read##bytes(void *p) { check((uint64_t)p, bytes, false); } \
	void __tsan_unaligned_write##bytes(void *p) { check((uint64_t)p, bytes, true); }

extern "C" {
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)
void __tsan_init() {}
void __tsan_func_entry(void *) {}
void __tsan_func_exit() {}
void __tsan_read_range(void *p, size_t bytes) { check((uint64_t)p, bytes, false); }
void __tsan_write_range(void *p, size_t bytes) { check((uint64_t)p, bytes, true); }
void __ubsan_handle_out_of_bounds(void *, unsigned long index) {
	stop_thread(illegal_address, here() + " uses index " + std::to_string(index) + ", beyond the end of an array of fixed size");
}
}
