// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The layout of libbpf 1.7's <bpf/usdt.bpf.h>, with bitfields, which the loader must find by the names of the fields. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

enum __bpf_usdt_arg_type {
	BPF_USDT_ARG_CONST,
	BPF_USDT_ARG_REG,
	BPF_USDT_ARG_REG_DEREF,
	BPF_USDT_ARG_SIB,
};

struct __bpf_usdt_arg_spec {
	__u64 val_off;
	enum __bpf_usdt_arg_type arg_type : 8;
	__u16 idx_reg_off : 12;
	__u16 scale_bitshift : 4;
	__u8 __reserved : 8;
	short reg_off;
	_Bool arg_signed;
	char arg_bitshift;
};

struct __bpf_usdt_spec {
	struct __bpf_usdt_arg_spec args[12];
	__u64 usdt_cookie;
	short arg_cnt;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, int);
	__type(value, struct __bpf_usdt_spec);
} __bpf_usdt_specs SEC(".maps");

__u64 seen;
__s64 values[12];

/* What is written of the argument with an index, and the first of its values. */
SEC("usdt")
int on_kinds(void *ctx)
{
	int id = bpf_get_attach_cookie(ctx);
	struct __bpf_usdt_spec *spec = bpf_map_lookup_elem(&__bpf_usdt_specs, &id);
	struct __bpf_usdt_arg_spec *arg;
	__u64 base = 0, index = 0;
	short element = 0;

	if (!spec)
		return 0;
	arg = &spec->args[5];
	values[0] = arg->arg_type;
	values[1] = arg->scale_bitshift;
	values[2] = arg->arg_signed;
	values[3] = arg->arg_bitshift;
	bpf_probe_read_kernel(&base, sizeof(base), ctx + arg->reg_off);
	bpf_probe_read_kernel(&index, sizeof(index), ctx + arg->idx_reg_off);
	bpf_probe_read_user(&element, sizeof(element), (void *)(base + (index << arg->scale_bitshift) + arg->val_off));
	values[4] = index;
	values[5] = element;
	values[6] = spec->arg_cnt;
	values[7] = spec->usdt_cookie;
	__sync_fetch_and_add(&seen, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
