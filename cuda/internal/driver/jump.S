//go:build gpu

// A function of the driver's name for each address in the table: one jump.

#if defined(__x86_64__)
#define F(place, name) \
	.globl name; .type name, @function; name: jmp *aegis_cuda_table+8*place(%rip);
#elif defined(__aarch64__)
#define F(place, name) \
	.globl name; .type name, %function; \
	name: adrp x16, aegis_cuda_table; add x16, x16, :lo12:aegis_cuda_table; ldr x16, [x16, #8*place]; br x16;
#endif

.text
#include "symbols.h"
.section .note.GNU-stack, "", %progbits
