/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_H
#define SKEP_BPF_H

#include "skep/helpers.h"

/*
 * What a program includes to be read by Skep. Typedefs give a field of an event its meaning; Skep reads their
 * names from BTF. Include it after a vmlinux.h, <linux/…> or <bpf/…>, if any of those is wanted.
 *
 *   C type                    column      SQL type
 *   __u8 .. __s16             i16         smallint      (u16: i32, integer)
 *   __s32                     i32         integer
 *   __u32                     u32         bigint
 *   __s64                     i64         bigint
 *   __u64                     u64         numeric(20)
 *   _Bool                     bool        boolean
 *   float, double             f64         double precision
 *   enum                      text        text          (the label, or the number when it has none)
 *   char[n]                   text        text          (to the first NUL)
 *   __u8[n], others           bytes       bytea
 *   skep_ktime                time        timestamptz   (wall clock)
 *   skep_duration             i64         bigint        (nanoseconds)
 *   skep_cgroup               u64         numeric(20)   (as in /proc/PID/cgroup: the inode of the directory)
 *   skep_ipv4, skep_ipv6,
 *   skep_ip                   ip          inet
 *   skep_port_be              i32         integer
 *   skep_str(n)               text        text
 *   skep_strings(n)           texts       text[]        (each ends with NUL)
 *   skep_stack(n)             addresses   text[]        (hexadecimal)
 */
typedef __u64 skep_ktime;    /* bpf_ktime_get_ns() */
typedef __u64 skep_duration; /* nanoseconds between two of them */
typedef __u64 skep_cgroup;   /* bpf_get_current_cgroup_id() */
typedef __u32 skep_ipv4;     /* network order */
typedef struct {
	__u8 bytes[16];
} skep_ipv6; /* network order */
typedef struct {
	__u8 bytes[16];
} skep_ip; /* network order; IPv4 as ::ffff:a.b.c.d */
typedef __u16 skep_port_be; /* network order */
typedef char skep_char;
typedef char skep_string_char;
typedef __u64 skep_address;

/* skep_str(16) comm;  skep_strings(4096) args;  skep_stack(32) kernel; */
#define skep_str(n) typeof(skep_char[n])
#define skep_strings(n) typeof(skep_string_char[n])
#define skep_stack(n) typeof(skep_address[n])

/*
 * The kernel's part of the loss ledger, one a stream. `seen` is counted first, for every event, and then
 * exactly one of the others: seen = filtered + failed + submitted.
 */
struct skep_ledger {
	__u64 seen;      /* the program ran for an event of this stream */
	__u64 filtered;  /* a filter turned it away */
	__u64 failed;    /* there was no room for it: lost */
	__u64 submitted; /* it was handed to user space */
};

/*
 * Declares a stream: a ring buffer of `bytes` (a power of two of pages) that carries records of `type`, and
 * its ledger `name_ledger`.
 */
#define SKEP_STREAM(name, record, bytes)                                                                               \
	struct {                                                                                                       \
		__uint(type, BPF_MAP_TYPE_RINGBUF);                                                                    \
		__uint(max_entries, bytes);                                                                            \
		__type(value, record);                                                                                 \
	} name SEC(".maps");                                                                                           \
	struct {                                                                                                       \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);                                                               \
		__uint(max_entries, 1);                                                                                \
		__type(key, __u32);                                                                                    \
		__type(value, struct skep_ledger);                                                                     \
	} name##_ledger SEC(".maps")

/* Adds one to a counter of a stream's ledger: skep_count(execs, seen); */
#define skep_count(name, counter)                                                                                      \
	({                                                                                                             \
		__u32 skep_key = 0;                                                                                    \
		struct skep_ledger *skep_row = bpf_map_lookup_elem(&name##_ledger, &skep_key);                         \
		if (skep_row)                                                                                          \
			__sync_fetch_and_add(&skep_row->counter, 1);                                                  \
	})

/*
 * Hands `size` bytes at `data` to user space and counts the outcome: `submitted`, or `failed` when the ring is
 * full. Returns 0 or the negative errno of bpf_ringbuf_output().
 */
#define skep_submit(name, data, size)                                                                                  \
	({                                                                                                             \
		long skep_result = bpf_ringbuf_output(&name, data, size, 0);                                           \
		if (skep_result)                                                                                       \
			skep_count(name, failed);                                                                      \
		else                                                                                                   \
			skep_count(name, submitted);                                                                   \
		skep_result;                                                                                           \
	})

#endif
