// amx_emulator runs a program and executes the AMX instructions that the processor doesn't know, so that their kernels can
// be tested anywhere on Linux, slowly:
//
//	gcc -O2 -o /tmp/amx_emulator amx_emulator.c -lm
//	go test -c -tags aegis_amx_emulated -o /tmp/kernel.test ./internal/kernel
//	/tmp/amx_emulator /tmp/kernel.test -test.short
//
// An unknown instruction stops the program with SIGILL; the emulator decodes it, changes tiles, memory and registers, and
// lets the program go on behind it. Written from Intel's Software Developer's Manual: LDTILECFG, TILERELEASE, TILEZERO,
// TILELOADD, TILESTORED, TDPBF16PS. The processor must have AVX-512.
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

struct thread {
	pid_t id;
	int configured;
	uint16_t bytes[8];
	uint8_t rows[8];
	uint8_t tile[8][16][64];
};

static struct thread *threads[4096];

static struct thread *thread_of(pid_t id) {
	for (int i = 0; i < 4096; i++) {
		if (!threads[i]) {
			threads[i] = calloc(1, sizeof(struct thread));
			threads[i]->id = id;
		}
		if (threads[i]->id == id)
			return threads[i];
	}
	fprintf(stderr, "amx_emulator: too many threads\n");
	exit(3);
}

static int copy(pid_t id, void *here, uint64_t there, size_t n, int write) {
	struct iovec local = {here, n}, remote = {(void *)there, n};
	ssize_t done = write ? process_vm_writev(id, &local, 1, &remote, 1, 0) : process_vm_readv(id, &local, 1, &remote, 1, 0);
	return done == (ssize_t)n;
}

static uint64_t *general(struct user_regs_struct *r, int number) {
	unsigned long long *all[16] = {&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp, &r->rsi, &r->rdi,
	                               &r->r8,  &r->r9,  &r->r10, &r->r11, &r->r12, &r->r13, &r->r14, &r->r15};
	return (uint64_t *)all[number];
}

// bfloat widens a bfloat16; subnormal ones count as 0.
static float bfloat(uint16_t h) {
	uint32_t u = (uint32_t)h << 16;
	if ((u & 0x7f800000) == 0)
		u &= 0x80000000;
	float f;
	memcpy(&f, &u, 4);
	return f;
}

static float flushed(float x) { return fabsf(x) < 0x1p-126f ? copysignf(0, x) : x; }

// product is TDPBF16PS: the first and the second elements of the pairs add up in float32 by themselves, from 0; their sum
// is added to what the tile holds.
static void product(struct thread *t, int c, int a, int b) {
	for (int m = 0; m < t->rows[c]; m++)
		for (int n = 0; n < t->bytes[c] / 4; n++) {
			float old, sums[2] = {0, 0};
			for (int k = 0; k < t->bytes[a] / 4; k++)
				for (int i = 0; i < 2; i++) {
					uint16_t x, y;
					memcpy(&x, &t->tile[a][m][4 * k + 2 * i], 2);
					memcpy(&y, &t->tile[b][k][4 * n + 2 * i], 2);
					sums[i] = flushed(fmaf(bfloat(x), bfloat(y), sums[i]));
				}
			memcpy(&old, &t->tile[c][m][4 * n], 4);
			old = flushed(flushed(old) + flushed(sums[0] + sums[1]));
			memcpy(&t->tile[c][m][4 * n], &old, 4);
		}
}

// step executes one instruction; 0 where it is no AMX instruction or touches memory that isn't there.
static int step(pid_t id) {
	struct user_regs_struct r;
	uint8_t code[16];
	ptrace(PTRACE_GETREGS, id, 0, &r);
	if (!copy(id, code, r.rip, 11, 0) && !copy(id, code, r.rip, 5, 0))
		return 0;
	if (code[0] != 0xc4 || (code[1] & 0x1f) != 2)
		return 0;
	struct thread *t = thread_of(id);
	int opcode = code[3], modrm = code[4], prefix = code[2] & 3, mod = modrm >> 6, reg = modrm >> 3 & 7, rm = modrm & 7;
	int third = ~(code[2] >> 3) & 15, length = 5;
	uint64_t address = 0, stride = 0;
	if (mod != 3) {
		int base = rm | (~code[1] >> 5 & 1) << 3;
		if (rm == 4) {
			int sib = code[5], index = (sib >> 3 & 7) | (~code[1] >> 6 & 1) << 3;
			base = (sib & 7) | (~code[1] >> 5 & 1) << 3;
			stride = index == 4 ? 0 : *general(&r, index) << (sib >> 6);
			length++;
		}
		int32_t displacement = 0;
		if (mod == 1)
			displacement = (int8_t)code[length++];
		if (mod == 2) {
			memcpy(&displacement, code + length, 4);
			length += 4;
		}
		address = *general(&r, base) + displacement;
	}
	if (opcode == 0x49 && prefix == 0 && mod != 3) { // LDTILECFG
		uint8_t config[64];
		if (!copy(id, config, address, 64, 0) || config[0] != 1)
			return 0;
		memset(t->tile, 0, sizeof t->tile);
		memcpy(t->bytes, config + 16, 16);
		memcpy(t->rows, config + 48, 8);
		t->configured = 1;
	} else if (opcode == 0x49 && prefix == 0 && modrm == 0xc0) { // TILERELEASE
		t->configured = 0;
	} else if (!t->configured) {
		return 0;
	} else if (opcode == 0x49 && prefix == 3 && mod == 3) { // TILEZERO
		memset(t->tile[reg], 0, 1024);
	} else if (opcode == 0x4b && (prefix == 3 || prefix == 2) && mod != 3) { // TILELOADD, TILESTORED
		for (int row = 0; row < t->rows[reg]; row++)
			if (!copy(id, t->tile[reg][row], address + row * stride, t->bytes[reg], prefix == 2))
				return 0;
	} else if (opcode == 0x5c && prefix == 2 && mod == 3) {
		product(t, reg, rm, third);
	} else {
		return 0;
	}
	r.rip += length;
	ptrace(PTRACE_SETREGS, id, 0, &r);
	return 1;
}

int main(int count, char **arguments) {
	if (count < 2) {
		fprintf(stderr, "usage: amx_emulator program arguments...\n");
		return 2;
	}
	pid_t child = fork();
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execvp(arguments[1], arguments + 1);
		perror(arguments[1]);
		_exit(127);
	}
	int status;
	waitpid(child, &status, 0);
	ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
	ptrace(PTRACE_CONT, child, 0, 0);
	for (;;) {
		pid_t id = waitpid(-1, &status, __WALL);
		if (id < 0)
			return errno == ECHILD ? 0 : 3;
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (id == child)
				return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			continue;
		}
		int signal = WSTOPSIG(status);
		if (status >> 16 || signal == SIGTRAP)
			signal = 0; // an event of the tracing itself
		else if (signal == SIGSTOP && id != child)
			signal = 0; // a new thread
		else if (signal == SIGILL && step(id))
			signal = 0;
		ptrace(PTRACE_CONT, id, 0, signal);
	}
}
