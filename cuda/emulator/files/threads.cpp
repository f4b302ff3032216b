// The threads of a block: one after the other on stacks of their own, each until it waits or ends. A warp's lanes meet at
// shuffles, a block's threads at barriers.
#include <sys/mman.h>
#include <ucontext.h>
#include <vector>

#include "emulator.h"

dim3 emulated_thread, emulated_block, emulated_block_size, emulated_grid_size;
unsigned phase;
const char *running;

namespace {

enum { stack_bytes = 128 << 10, warp = 32 };
enum State { fresh, ready, at_shuffle, at_barrier, done };

struct Fiber {
	char *stack;
	void *saved; // its stack pointer while it doesn't run
	ucontext_t context;
};

struct Thread {
	State state;
	Fiber *fiber;
	unsigned shuffles;
};

std::vector<Fiber *> spare, all;
std::vector<Thread> threads;
unsigned current;
uint64_t slots[2][1024];
Fiber scheduler;
Fault fault;
const EmulatedKernel *kernel;
void **arguments;

#if defined(__x86_64__)
// Switching saves what the calling convention has the callee save.
extern "C" void emulated_switch(void **from, void *to);
asm(R"(
	.text
	.globl emulated_switch
	.type emulated_switch, @function
emulated_switch:
	push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15
	mov %rsp, (%rdi)
	mov %rsi, %rsp
	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp
	ret
)");
void change(Fiber *from, Fiber *to) { emulated_switch(&from->saved, to->saved); }
void prepare(Fiber *f, void (*entry)()) {
	auto top = (void **)(f->stack + stack_bytes - 64);
	top[0] = (void *)entry; // where ret goes
	top[1] = nullptr;
	f->saved = top - 6;
}
#else
void change(Fiber *from, Fiber *to) { swapcontext(&from->context, &to->context); }
void prepare(Fiber *f, void (*entry)()) {
	getcontext(&f->context);
	f->context.uc_stack.ss_sp = f->stack;
	f->context.uc_stack.ss_size = stack_bytes;
	makecontext(&f->context, entry, 0);
}
#endif

void thread_main() {
	kernel->call(kernel->kernel, arguments);
	threads[current].state = done;
	change(threads[current].fiber, &scheduler);
	__builtin_unreachable();
}

void wait(State state) {
	unsigned me = current;
	threads[me].state = state;
	change(threads[me].fiber, &scheduler);
}

Fiber *take_fiber() {
	if (spare.empty()) {
		auto f = new Fiber;
		f->stack = (char *)mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		all.push_back(f);
		return f;
	}
	auto f = spare.back();
	spare.pop_back();
	return f;
}

void resume(unsigned i) {
	current = i;
	emulated_thread = {i, 0, 0};
	Thread &t = threads[i];
	if (t.state == fresh) {
		t.fiber = take_fiber();
		prepare(t.fiber, thread_main);
	}
	t.state = ready;
	change(&scheduler, t.fiber);
	if (t.state == done)
		spare.push_back(t.fiber);
}

// Runs a warp until all its lanes are at a barrier or done.
void run_warp(unsigned begin, unsigned end) {
	for (;;) {
		unsigned shuffling = 0, others = 0;
		for (unsigned i = begin; i < end && !fault.code; i++) {
			if (threads[i].state == fresh || threads[i].state == ready)
				resume(i);
			(threads[i].state == at_shuffle ? shuffling : others)++;
		}
		if (fault.code || !shuffling)
			return;
		if (others) {
			fault = {launch_failed, std::string("kernel ") + running + ": some lanes of a warp are at a shuffle, others not"};
			return;
		}
		for (unsigned i = begin; i < end; i++)
			threads[i].state = ready;
	}
}

void run_block() {
	phase = 0;
	unsigned count = emulated_block_size.x;
	threads.assign(count, Thread{fresh, nullptr, 0});
	for (;;) {
		for (unsigned begin = 0; begin < count && !fault.code; begin += warp)
			run_warp(begin, std::min(begin + warp, count));
		if (fault.code)
			return;
		unsigned waiting = 0;
		for (auto &t : threads)
			waiting += t.state == at_barrier;
		if (!waiting)
			return;
		if (waiting != count) {
			fault = {launch_failed, std::string("kernel ") + running + ": some threads of a block are at a barrier, others have ended"};
			return;
		}
		for (auto &t : threads)
			t.state = ready;
		phase++;
	}
}

} // namespace

void run_grid(const char *name, const EmulatedKernel *k, unsigned blocks, unsigned count, void **args) {
	running = name;
	kernel = k;
	arguments = args;
	fault = {};
	emulated_grid_size = {blocks, 1, 1};
	emulated_block_size = {count, 1, 1};
	begin_launch();
	for (unsigned b = 0; b < blocks && !fault.code; b++) {
		emulated_block = {b, 0, 0};
		run_block();
	}
	running = nullptr;
	if (fault.code) {
		spare = all; // those that wait are left where they are
		fail(fault.code, fault.text);
	}
}

void stop_thread(int code, const std::string &text) {
	fault = {code, text};
	change(threads[current].fiber, &scheduler);
	__builtin_unreachable();
}

bool on_thread_stack(uint64_t address) {
	auto f = threads[current].fiber;
	return address >= (uint64_t)f->stack && address < (uint64_t)f->stack + stack_bytes;
}

void emulated_barrier() { wait(at_barrier); }

uint64_t emulated_shuffle(uint64_t value, int lane) {
	unsigned me = current, turn = threads[me].shuffles++ % 2;
	slots[turn][me] = value;
	wait(at_shuffle);
	return slots[turn][me / warp * warp + unsigned(lane) % warp];
}
