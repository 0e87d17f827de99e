/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the engine's own functions are written with: maps and helpers in C, compiled to eBPF, which the engine translates
 * into the module of each program that calls them. A function of theirs is a program of section "syscall": its arguments
 * are r1 to r5, its result is r0. Pointers are addresses of the engine's memory.
 *
 * The functions below are none: the translator puts WebAssembly in their place. Those without arguments are constants of
 * the map that the function is translated for (see MapConstants).
 */
#ifndef SKEP_VM_RUNTIME_H
#define SKEP_VM_RUNTIME_H

#include <linux/bpf.h>

struct vm_map;

#define VM_INLINE static __attribute__((always_inline)) inline
#define VM_INTRINSIC(number) ((void *)(0x100000 + (number)))

/*
 * Those that stay in the registers: written as assembly, so that the compiler knows that nothing but r0 changes (and r1, r2
 * where they take arguments), and keeps its own values out of memory.
 */
#define VM_CONSTANT(number)                                                                        \
	({                                                                                         \
		__u64 result;                                                                      \
		asm("call %[id]\n\t%[result] = r0" : [result] "=r"(result) : [id] "i"(0x100000 + (number)) : "r0"); \
		result;                                                                            \
	})
#define VM_OF_ONE(number, argument)                                                                \
	({                                                                                         \
		__u64 result;                                                                      \
		asm("r1 = %[a]\n\tcall %[id]\n\t%[result] = r0"                                    \
		    : [result] "=r"(result)                                                        \
		    : [id] "i"(0x100000 + (number)), [a] "r"(argument)                             \
		    : "r0", "r1");                                                                 \
		result;                                                                            \
	})
#define VM_OF_TWO(number, one, two)                                                                \
	({                                                                                         \
		__u64 result;                                                                      \
		asm volatile("r1 = %[a]\n\tr2 = %[b]\n\tcall %[id]\n\t%[result] = r0"              \
			     : [result] "=r"(result)                                               \
			     : [id] "i"(0x100000 + (number)), [a] "r"(one), [b] "r"(two)           \
			     : "r0", "r1", "r2", "memory");                                        \
		result;                                                                            \
	})

/* Of the map. */
#define vm_key_size() VM_CONSTANT(1)
#define vm_value_size() VM_CONSTANT(2)
/* The value's size rounded up to 8; per-CPU maps have as many of these as there are workers. */
#define vm_stride() VM_CONSTANT(3)
#define vm_flags() VM_CONSTANT(4)
#define vm_max_entries() VM_CONSTANT(5)
#define vm_cpus() VM_CONSTANT(6)
/* Fields of the map's struct: constants where the map is known, loads where the function serves many. */
#define vm_mask(map) VM_OF_ONE(7, (const void *)(map))
#define vm_buckets(map) VM_OF_ONE(8, (const void *)(map))
#define vm_elements(map) VM_OF_ONE(9, (const void *)(map))

/* Unrolled for the map's sizes. Equal keys give 0, others any other number. */
#define vm_copy_key(to, from) VM_OF_TWO(16, (void *)(to), (const void *)(from))
#define vm_copy_value(to, from) VM_OF_TWO(17, (void *)(to), (const void *)(from))
#define vm_key_difference(a, b) VM_OF_TWO(18, (const void *)(a), (const void *)(b))
#define vm_hash_key(key) VM_OF_TWO(19, (const void *)(key), 0)

/* Any length: memory.copy (which allows overlap) and memory.fill. */
static void (*const vm_copy)(void *to, const void *from, __u64 length) = VM_INTRINSIC(32);
static void (*const vm_fill)(void *to, __u64 byte, __u64 length) = VM_INTRINSIC(33);

/* The state of the run at hand, and the index of this worker. */
static struct vm_run *(*const vm_run)(void) = VM_INTRINSIC(34);
static __u64 (*const vm_cpu)(void) = VM_INTRINSIC(35);

/* Lets programs touch a region (1 read, 2 write) or closes it (0): see VmMemory.setRegion. Nothing without regions. */
static void (*const vm_set_region)(void *at, __u64 length, __u64 access) = VM_INTRINSIC(36);

/* Calls a function of the program (a callback) with up to four arguments. */
static __u64 (*const vm_call)(__u64 function, __u64 a, __u64 b, __u64 c, __u64 d) = VM_INTRINSIC(37);

/* 1 when a program may touch all these bytes (access as above); without regions, when there is memory. */
static __u64 (*const vm_may_access)(const void *at, __u64 length, __u64 access) = VM_INTRINSIC(38);

/* struct vm_run: see src/run/run-state.ts. */
struct vm_run {
	__u32 cpu;
	/* The lowest address that a packet may begin at, and the end of its room. */
	__u32 packet_first;
	__u32 packet_end;
	__u32 context;
	/* enum bpf_prog_type */
	__u32 program_type;
	__u32 tail_calls;
	__u64 random;
	/* What bpf_redirect and its kin asked for last: the kind (0 none), ifindex or key, flags, map. */
	__u32 redirect_kind;
	__u32 redirect_target;
	__u64 redirect_flags;
	__u32 redirect_map;
	/* Address of the spin lock that the run holds; 0 none. */
	__u32 lock;
	/* The packet: helpers go by these, not by the context, which a program may have overwritten. What lies between
	 * packet_meta and packet_data_end is open to programs. */
	__u32 packet_data;
	__u32 packet_data_end;
	__u32 packet_meta;
	/* Of a socket buffer. */
	__u32 mac_header;
	__u32 network_header;
	/* What bpf_sk_assign chose; 0 for none. */
	__u32 assigned_socket;
	/* The lowest address that the packet began at in this run, so that what was written there is cleared after it. */
	__u32 packet_lowest;
	/* The socket that a packet or message was redirected to. */
	__u32 redirect_socket;
	/* 1 when bpf_skb_adjust_room put headers around those of a socket buffer. */
	__u32 encapsulated;
};

#endif
