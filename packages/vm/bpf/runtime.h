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

#define VM_INLINE static __attribute__((always_inline)) inline
#define VM_INTRINSIC(number) ((void *)(0x100000 + (number)))

/* Of the map. */
static __u64 (*const vm_key_size)(void) = VM_INTRINSIC(1);
static __u64 (*const vm_value_size)(void) = VM_INTRINSIC(2);
/* The value's size rounded up to 8; per-CPU maps have as many of these as there are workers. */
static __u64 (*const vm_stride)(void) = VM_INTRINSIC(3);
static __u64 (*const vm_flags)(void) = VM_INTRINSIC(4);
static __u64 (*const vm_max_entries)(void) = VM_INTRINSIC(5);
static __u64 (*const vm_cpus)(void) = VM_INTRINSIC(6);

/* Unrolled for the map's sizes. Equal keys give 1. */
static void (*const vm_copy_key)(void *to, const void *from) = VM_INTRINSIC(16);
static void (*const vm_copy_value)(void *to, const void *from) = VM_INTRINSIC(17);
static __u64 (*const vm_equal_key)(const void *a, const void *b) = VM_INTRINSIC(18);
static __u64 (*const vm_hash_key)(const void *key) = VM_INTRINSIC(19);

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
