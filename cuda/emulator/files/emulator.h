// The parts of the emulated device, for each other.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "device.h"

enum { success = 0, invalid_value = 1, out_of_memory = 2, no_device = 100, not_found = 500, illegal_address = 700, launch_failed = 719 };

// memory.cpp
int allocate(uint64_t *address, size_t bytes);
int release(uint64_t address);
size_t allocated_bytes();
int pin(void **address, size_t bytes); // host memory that kernels reach too
int unpin(void *address);
bool pinned(const void *address, size_t bytes);
bool inside(uint64_t address, size_t bytes, std::string *why); // one allocation holds it
void written(uint64_t address, size_t bytes);
void add_module(void *library);
void begin_launch();

// threads.cpp
struct Fault {
	int code;
	std::string text;
};
void run_grid(const char *name, const EmulatedKernel *kernel, unsigned blocks, unsigned threads, void **arguments);
[[noreturn]] void stop_thread(int code, const std::string &text); // on a kernel's thread
bool on_thread_stack(uint64_t address);
extern unsigned phase; // how many barriers the block has passed
extern const char *running; // the kernel's name, null between kernels

// driver.cpp
void fail(int code, const std::string &text); // the stream's error, given at the next synchronisation
int enqueue(std::function<void()> work);
int enqueue_computing(std::function<void()> work); // which may be left out
