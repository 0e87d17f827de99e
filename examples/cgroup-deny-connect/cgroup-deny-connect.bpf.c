// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <skep/bpf.h>

/* Destination ports that may not be connected to, and how often it was tried. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u16);
	__type(value, __u64);
} denied SEC(".maps");

SEC("cgroup/connect4")
int on_connect(struct bpf_sock_addr *ctx)
{
	__u16 port = bpf_ntohs(ctx->user_port);
	__u64 *attempts = bpf_map_lookup_elem(&denied, &port);

	if (!attempts)
		return 1;
	__sync_fetch_and_add(attempts, 1);
	return 0; /* connect() fails with EPERM */
}

char LICENSE[] SEC("license") = "GPL";
