// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <skep/bpf.h>

/* The process whose system calls are timed. */
const volatile __u32 process;

struct call {
	__u64 start;
	__u32 number;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, struct call);
} running SEC(".maps");

/* Slot n counts calls of 2^n to 2^(n+1) nanoseconds. */
struct histogram {
	__u64 slots[32];
};

/* By the number of the system call. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, __u32);
	__type(value, struct histogram);
} histograms SEC(".maps");

static struct histogram empty;

SEC("raw_tp/sys_enter")
int BPF_PROG(on_enter, struct pt_regs *registers, long number)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct call call = { .start = bpf_ktime_get_ns(), .number = number };
	__u32 thread = id;

	if (id >> 32 == process)
		bpf_map_update_elem(&running, &thread, &call, BPF_ANY);
	return 0;
}

SEC("raw_tp/sys_exit")
int BPF_PROG(on_exit, struct pt_regs *registers, long result)
{
	__u32 thread = bpf_get_current_pid_tgid();
	struct call *call = bpf_map_lookup_elem(&running, &thread);
	struct histogram *histogram;
	__u32 number, slot = 0;
	__u64 taken;

	if (!call)
		return 0;
	taken = bpf_ktime_get_ns() - call->start;
	number = call->number;
	bpf_map_delete_elem(&running, &thread);
	while (taken > 1 && slot < 31) {
		taken >>= 1;
		slot++;
	}
	bpf_map_update_elem(&histograms, &number, &empty, BPF_NOEXIST);
	histogram = bpf_map_lookup_elem(&histograms, &number);
	if (histogram)
		__sync_fetch_and_add(&histogram->slots[slot & 31], 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
