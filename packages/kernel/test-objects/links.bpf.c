// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that count the executions of one file, by its name, on each kind of link; and a timer's ticks. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define COMM_LENGTH 16

struct execution {
	__u32 pid;
	char comm[COMM_LENGTH];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
	__type(value, struct execution);
} executions SEC(".maps");

const volatile char wanted[COMM_LENGTH];
__u64 seen_tp_btf;
__u64 seen_raw_tracepoint;
__u64 seen_tracepoint;
__u64 cookie;
__u64 ticks;

static __always_inline int is_wanted(char *comm)
{
	bpf_get_current_comm(comm, COMM_LENGTH);
	for (int i = 0; i < COMM_LENGTH; i++) {
		if (comm[i] != wanted[i])
			return 0;
		if (!comm[i])
			break;
	}
	return 1;
}

SEC("tp_btf/sched_process_exec")
int on_tp_btf(void *ctx)
{
	struct execution execution = {};

	if (!is_wanted(execution.comm))
		return 0;
	__sync_fetch_and_add(&seen_tp_btf, 1);
	execution.pid = bpf_get_current_pid_tgid() >> 32;
	bpf_ringbuf_output(&executions, &execution, sizeof(execution), 0);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int on_raw_tracepoint(void *ctx)
{
	char comm[COMM_LENGTH];

	if (is_wanted(comm))
		__sync_fetch_and_add(&seen_raw_tracepoint, 1);
	return 0;
}

SEC("tp/sched/sched_process_exec")
int on_tracepoint(void *ctx)
{
	char comm[COMM_LENGTH];

	if (is_wanted(comm)) {
		__sync_fetch_and_add(&seen_tracepoint, 1);
		cookie = bpf_get_attach_cookie(ctx);
	}
	return 0;
}

/* Raw tracepoints have cookies since Linux 6.10. */
SEC("raw_tp/sched_process_exec")
int on_raw_cookie(void *ctx)
{
	char comm[COMM_LENGTH];

	if (is_wanted(comm))
		cookie = bpf_get_attach_cookie(ctx);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int on_tp_btf_cookie(void *ctx)
{
	char comm[COMM_LENGTH];

	if (is_wanted(comm))
		cookie = bpf_get_attach_cookie(ctx);
	return 0;
}

SEC("perf_event")
int on_tick(void *ctx)
{
	__sync_fetch_and_add(&ticks, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
