// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* skep: cpu=v4 */
/*
 * The programs of vm.bpf.c for the kernel, whose verifier walks through every round of a loop up to a million instructions.
 * Loops that have more rounds than that, or a branch of unknown outcome in each of some thousand, are bounded by may_goto
 * (6.9) instead, and what they index by is bounded where it is used. The rest is as the userspace engine has it.
 */
#define FOR_KERNEL
#define FROM(number) (nothing + (number))
#define GO_ON may_go_on()
#define INDEX(i, size)                                                                                                 \
	({                                                                                                             \
		__u32 index = (i);                                                                                     \
															\
		asm("" : "+r"(index));                                                                                 \
		index & ((size) - 1);                                                                                  \
	})

static inline __attribute__((always_inline)) int may_go_on(void)
{
	asm goto("may_goto %l[out]" : : : : out);
	return 1;
out:
	return 0;
}

/* 0, which the verifier does not know: it would follow a number that it knows round by round. */
unsigned int nothing;

#include "vm.bpf.c"
