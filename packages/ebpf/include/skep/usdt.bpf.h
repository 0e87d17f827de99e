/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_USDT_BPF_H
#define SKEP_USDT_BPF_H

/*
 * The arguments of USDT probes. Include it after <skep/bpf.h>, or after <bpf/bpf_helpers.h> and <bpf/bpf_tracing.h>.
 *
 *	SEC("usdt//usr/bin/app:app:request")
 *	int BPF_USDT(on_request, int status, const char *path)
 *	{
 *		...
 *	}
 *
 * Maps and functions have the names of libbpf's <bpf/usdt.bpf.h>, which does as well. The loader writes where each
 * argument is; it finds the fields by their names in BTF.
 */
#ifdef __USDT_BPF_H__
#error "include either <skep/usdt.bpf.h> or <bpf/usdt.bpf.h>"
#endif

/* How many different lists of arguments the programs of an object can be attached to at once. */
#ifndef BPF_USDT_MAX_SPEC_CNT
#define BPF_USDT_MAX_SPEC_CNT 256
#endif
/* How many instructions, on kernels without cookies. */
#ifndef BPF_USDT_MAX_IP_CNT
#define BPF_USDT_MAX_IP_CNT (4 * BPF_USDT_MAX_SPEC_CNT)
#endif
#define BPF_USDT_MAX_ARG_CNT 12

#define SKEP_USDT_ENOENT 2
#define SKEP_USDT_ESRCH 3
#define SKEP_USDT_EINVAL 22

enum __bpf_usdt_arg_type {
	BPF_USDT_ARG_CONST,
	BPF_USDT_ARG_REG,
	BPF_USDT_ARG_REG_DEREF,
	BPF_USDT_ARG_SIB,
};

struct __bpf_usdt_arg_spec {
	/* The constant, or what is added to an address. */
	__u64 val_off;
	/* enum __bpf_usdt_arg_type */
	__u8 arg_type;
	/* The index register counts this many times doubled. */
	__u8 scale_bitshift;
	/* Registers, by their offset in struct pt_regs. */
	__s16 idx_reg_off;
	__s16 reg_off;
	_Bool arg_signed;
	/* 64 less the argument's bits. */
	__u8 arg_bitshift;
};

struct __bpf_usdt_spec {
	struct __bpf_usdt_arg_spec args[BPF_USDT_MAX_ARG_CNT];
	__u64 usdt_cookie;
	__s16 arg_cnt;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BPF_USDT_MAX_SPEC_CNT);
	__type(key, int);
	__type(value, struct __bpf_usdt_spec);
} __bpf_usdt_specs SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BPF_USDT_MAX_IP_CNT);
	__type(key, long);
	__type(value, __u32);
} __bpf_usdt_ip_to_spec_id SEC(".maps") __weak;

/* Whether the kernel tells a program the cookie of its link (5.15): it has that helper, then. */
#ifndef SKEP_USDT_HAS_COOKIES
enum bpf_func_id___skep {
	BPF_FUNC_get_attach_cookie___skep = 174,
};
#define SKEP_USDT_HAS_COOKIES											\
	__builtin_preserve_enum_value(*(enum bpf_func_id___skep *)BPF_FUNC_get_attach_cookie___skep, 0)
#endif

static __always_inline struct __bpf_usdt_spec *skep_usdt_spec(struct pt_regs *ctx)
{
	int id;

	if (SKEP_USDT_HAS_COOKIES) {
		id = bpf_get_attach_cookie(ctx);
	} else {
		long ip = PT_REGS_IP(ctx);
		__u32 *found = bpf_map_lookup_elem(&__bpf_usdt_ip_to_spec_id, &ip);

		if (!found)
			return 0;
		id = *found;
	}
	return bpf_map_lookup_elem(&__bpf_usdt_specs, &id);
}

/* How many arguments the probe has; -ESRCH when the program runs for something that is no USDT probe. */
__weak __hidden int bpf_usdt_arg_cnt(struct pt_regs *ctx)
{
	struct __bpf_usdt_spec *spec = skep_usdt_spec(ctx);

	return spec ? spec->arg_cnt : -SKEP_USDT_ESRCH;
}

/* The value that the link was given. */
__weak __hidden long bpf_usdt_cookie(struct pt_regs *ctx)
{
	struct __bpf_usdt_spec *spec = skep_usdt_spec(ctx);

	return spec ? spec->usdt_cookie : 0;
}

/*
 * Reads argument `number`, counted from 0, into `value`, which is 0 after an error: -ENOENT when the probe has not so
 * many, -ESRCH as above, or what reading memory answers.
 */
__weak __hidden int bpf_usdt_arg(struct pt_regs *ctx, __u64 number, long *value)
{
	struct __bpf_usdt_spec *spec = skep_usdt_spec(ctx);
	struct __bpf_usdt_arg_spec *arg;
	unsigned long found = 0;
	unsigned long index = 0;
	int error = 0;

	*value = 0;
	if (!spec)
		return -SKEP_USDT_ESRCH;
	if (number >= BPF_USDT_MAX_ARG_CNT || (__s64)number >= spec->arg_cnt)
		return -SKEP_USDT_ENOENT;
	arg = &spec->args[number];
	if (arg->arg_type > BPF_USDT_ARG_SIB)
		return -SKEP_USDT_EINVAL;
	if (arg->arg_type == BPF_USDT_ARG_CONST) {
		found = arg->val_off;
	} else {
		error = bpf_probe_read_kernel(&found, sizeof(found), (void *)ctx + arg->reg_off);
		if (error)
			return error;
	}
	if (arg->arg_type == BPF_USDT_ARG_SIB) {
		error = bpf_probe_read_kernel(&index, sizeof(index), (void *)ctx + arg->idx_reg_off);
		if (error)
			return error;
		index <<= arg->scale_bitshift & 3;
	}
	if (arg->arg_type >= BPF_USDT_ARG_REG_DEREF) {
		__u64 bytes = 8 - ((arg->arg_bitshift >> 3) & 7);
		void *place = (void *)(found + index + arg->val_off);

		/* No more than there is: the next byte may be on a page that is not there. */
		found = 0;
		error = bpf_probe_read_user(&found, bytes, place);
		if (error)
			return error;
	}
	found <<= arg->arg_bitshift & 63;
	*value = arg->arg_signed ? (long)found >> (arg->arg_bitshift & 63) : (long)(found >> (arg->arg_bitshift & 63));
	return 0;
}

static __always_inline long skep_usdt_value(struct pt_regs *ctx, __u64 number)
{
	long value;

	bpf_usdt_arg(ctx, number, &value);
	return value;
}

#define SKEP_USDT_VALUES_0() ctx
#define SKEP_USDT_VALUES_1(a) SKEP_USDT_VALUES_0(), skep_usdt_value(ctx, 0)
#define SKEP_USDT_VALUES_2(a, ...) SKEP_USDT_VALUES_1(__VA_ARGS__), skep_usdt_value(ctx, 1)
#define SKEP_USDT_VALUES_3(a, ...) SKEP_USDT_VALUES_2(__VA_ARGS__), skep_usdt_value(ctx, 2)
#define SKEP_USDT_VALUES_4(a, ...) SKEP_USDT_VALUES_3(__VA_ARGS__), skep_usdt_value(ctx, 3)
#define SKEP_USDT_VALUES_5(a, ...) SKEP_USDT_VALUES_4(__VA_ARGS__), skep_usdt_value(ctx, 4)
#define SKEP_USDT_VALUES_6(a, ...) SKEP_USDT_VALUES_5(__VA_ARGS__), skep_usdt_value(ctx, 5)
#define SKEP_USDT_VALUES_7(a, ...) SKEP_USDT_VALUES_6(__VA_ARGS__), skep_usdt_value(ctx, 6)
#define SKEP_USDT_VALUES_8(a, ...) SKEP_USDT_VALUES_7(__VA_ARGS__), skep_usdt_value(ctx, 7)
#define SKEP_USDT_VALUES_9(a, ...) SKEP_USDT_VALUES_8(__VA_ARGS__), skep_usdt_value(ctx, 8)
#define SKEP_USDT_VALUES_10(a, ...) SKEP_USDT_VALUES_9(__VA_ARGS__), skep_usdt_value(ctx, 9)
#define SKEP_USDT_VALUES_11(a, ...) SKEP_USDT_VALUES_10(__VA_ARGS__), skep_usdt_value(ctx, 10)
#define SKEP_USDT_VALUES_12(a, ...) SKEP_USDT_VALUES_11(__VA_ARGS__), skep_usdt_value(ctx, 11)
#define SKEP_USDT_PICK(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, chosen, ...) chosen
#define SKEP_USDT_COUNT(args...) SKEP_USDT_PICK(0, ##args, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define SKEP_USDT_JOIN(a, b) a##b
#define SKEP_USDT_CHOOSE(count) SKEP_USDT_JOIN(SKEP_USDT_VALUES_, count)
#define SKEP_USDT_VALUES(args...) SKEP_USDT_CHOOSE(SKEP_USDT_COUNT(args))(args)

/* A program with the probe's arguments as its own, numbers and pointers. One that cannot be read is 0. */
#define BPF_USDT(name, args...)											\
	name(struct pt_regs *ctx);										\
	static __always_inline int skep_usdt_##name(struct pt_regs *ctx, ##args);				\
	int name(struct pt_regs *ctx)										\
	{													\
		_Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wint-conversion\"")	\
		return skep_usdt_##name(SKEP_USDT_VALUES(args));						\
		_Pragma("clang diagnostic pop")									\
	}													\
	static __always_inline int skep_usdt_##name(struct pt_regs *ctx, ##args)

#endif
