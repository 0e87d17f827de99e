// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Every way to declare a map that is not a map of maps. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct key {
	__u32 pid;
	__u16 kind;
};

struct event {
	__u64 time;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct key);
	__type(value, __u64);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__uint(value_size, 24);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
	__type(value, struct event);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(value, struct event);
} samples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 100);
	__uint(map_flags, BPF_F_ZERO_SEED);
	__uint(map_extra, 3);
	__type(value, __u32);
} seen SEC(".maps");

/* Reached through the section's symbol and an offset. */
static struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u32);
} hidden_map SEC(".maps");

SEC("tp/sched/sched_process_exec")
int record(void *context)
{
	struct key key = { .pid = bpf_get_current_pid_tgid() >> 32 };
	__u64 one = 1;
	__u32 zero = 0;
	struct event event = { .time = bpf_ktime_get_ns() };

	bpf_get_current_comm(event.comm, sizeof(event.comm));
	bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
	bpf_map_update_elem(&hidden_map, &zero, &key.pid, BPF_ANY);
	if (!bpf_map_lookup_elem(&totals, &zero))
		return 0;
	if (bpf_map_peek_elem(&seen, &key.pid))
		bpf_map_push_elem(&seen, &key.pid, 0);
	bpf_perf_event_output(context, &samples, BPF_F_CURRENT_CPU, &event, sizeof(event));
	return bpf_ringbuf_output(&events, &event, sizeof(event), 0);
}

char LICENSE[] SEC("license") = "GPL";
