// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <skep/bpf.h>

/* When each thread entered the function. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, __u64);
} entered SEC(".maps");

/* Slot n counts calls of 2^n to 2^(n+1) nanoseconds. */
__u64 slots[40];

SEC("uprobe")
int on_entry(struct pt_regs *ctx)
{
	__u32 thread = bpf_get_current_pid_tgid();
	__u64 now = bpf_ktime_get_ns();

	bpf_map_update_elem(&entered, &thread, &now, BPF_ANY);
	return 0;
}

SEC("uretprobe")
int on_return(struct pt_regs *ctx)
{
	__u32 thread = bpf_get_current_pid_tgid();
	__u64 *start = bpf_map_lookup_elem(&entered, &thread);
	__u64 taken;
	int slot = 0;

	if (!start)
		return 0;
	taken = bpf_ktime_get_ns() - *start;
	bpf_map_delete_elem(&entered, &thread);
	while (taken > 1 && slot < 39) {
		taken >>= 1;
		slot++;
	}
	__sync_fetch_and_add(&slots[slot], 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
