/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */

/*
 * Fills ring buffers with records that look like a collector's, without an event: BPF_PROG_TEST_RUN runs these
 * programs as often as there shall be records. The contents follow from a counter, so that two instances of this
 * object produce the same records. Linux 5.8 (ring buffer).
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include "skep.bpf.h"

#define RING_BYTES (4 << 20)
#define FILENAME_MAX 256
#define ARGS_MAX 4096

/* 64 bytes with 8 columns. */
struct sample {
	skep_ktime time;
	skep_cgroup cgroup;
	__u32 pid;
	__u32 ppid;
	__u32 uid;
	__u32 bytes;
	__u16 port;
	__u8 state;
	__u8 _padding[29];
};

/* The shape of what the exec collector sends: fixed columns, two strings, and arguments of variable length. */
struct execution {
	skep_ktime time;
	skep_cgroup cgroup;
	__u32 pid;
	__u32 ppid;
	__u32 uid;
	bool truncated;
	__u8 _padding[3];
	skep_str(16) comm;
	skep_str(FILENAME_MAX) filename;
	skep_strings(ARGS_MAX) args;
};

SKEP_STREAM(samples, struct sample, RING_BYTES);
SKEP_STREAM(executions, struct execution, RING_BYTES);

/* A record is too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct execution);
} scratch SEC(".maps");

/* Records made so far. Only one thread at a time runs these programs. */
__u64 sequence = 0;

static const char program_path[64] = "/usr/lib/x86_64-linux-gnu/libexec/toolchain-19/bin/compiler-tool";
static const char arguments[128] = "compiler-tool\0-O2\0-g\0-Wall\0-Wextra\0--include-directory\0/usr/include/x86_64\0"
				   "--output\0/tmp/build/object-file.o\0source-file.c";

/* All 64 bits differ from one record to the next. */
static __u64 next(void)
{
	return (++sequence) * 0x9e3779b97f4a7c15ull;
}

/* A kernel clock about three months after boot, past 2^52 ns. */
static __u64 clock_at(__u64 record)
{
	return 7700000000000000ull + record * 977;
}

SEC("socket")
int make_sample(struct __sk_buff *packet)
{
	__u64 bits = next();
	struct sample *sample = bpf_ringbuf_reserve(&samples, sizeof(*sample), 0);

	if (!sample)
		return 1;
	sample->time = clock_at(sequence);
	sample->cgroup = bits;
	sample->pid = bits >> 32;
	sample->ppid = bits >> 24;
	sample->uid = bits >> 40;
	sample->bytes = bits >> 16;
	sample->port = bits >> 48;
	sample->state = bits >> 56;
	__builtin_memset(sample->_padding, 0, sizeof(sample->_padding));
	bpf_ringbuf_submit(sample, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("socket")
int make_execution(struct __sk_buff *packet)
{
	__u32 zero = 0;
	__u64 bits = next();
	struct execution *execution = bpf_map_lookup_elem(&scratch, &zero);

	if (!execution)
		return 1;
	execution->time = clock_at(sequence);
	execution->cgroup = bits;
	execution->pid = bits >> 32;
	execution->ppid = bits >> 24;
	execution->uid = bits >> 40;
	execution->truncated = bits >> 63;
	__builtin_memcpy(execution->comm, arguments, sizeof(execution->comm));
	execution->comm[(bits >> 52 & 15)] = 0;
	__builtin_memcpy(execution->filename, program_path, sizeof(program_path));
	execution->filename[8 + (bits >> 45 & 31)] = 0;
	__builtin_memcpy(execution->args, arguments, sizeof(arguments));
	return bpf_ringbuf_output(&executions, execution, offsetof(struct execution, args) + 16 + (bits >> 38 & 63),
				  BPF_RB_NO_WAKEUP) != 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
