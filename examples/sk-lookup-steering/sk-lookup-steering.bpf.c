// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <skep/bpf.h>

/* Connections to these ports go to the one socket. */
const volatile __u32 first_port = 7000;
const volatile __u32 last_port = 7999;

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32); /* a descriptor, as it goes in */
} target SEC(".maps");

SEC("sk_lookup")
int steer(struct bpf_sk_lookup *ctx)
{
	struct bpf_sock *socket;
	__u32 key = 0;
	long error;

	if (ctx->local_port < first_port || ctx->local_port > last_port)
		return SK_PASS;
	socket = bpf_map_lookup_elem(&target, &key);
	if (!socket)
		return SK_PASS;
	error = bpf_sk_assign(ctx, socket, 0);
	bpf_sk_release(socket);
	return error ? SK_DROP : SK_PASS;
}

char LICENSE[] SEC("license") = "GPL";
