/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* skep: cpu=v4 */
/* Helpers that are called so often that a call into JavaScript would show. */
#include "runtime.h"

#define SEC(name) __attribute__((section(name), used))

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled", 2016. */
SEC("syscall") __u64 get_prandom_u32(void)
{
	struct vm_run *run = vm_run();
	__u64 x = run->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	run->random = x;
	return x * 0x2545f4914f6cdd1d >> 32;
}

SEC("syscall") __u64 get_smp_processor_id(void)
{
	return vm_cpu();
}
