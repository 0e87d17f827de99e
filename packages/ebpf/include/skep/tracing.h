/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_TRACING_H
#define SKEP_TRACING_H

/*
 * Programs as functions with the arguments of what they are attached to. <bpf/bpf_tracing.h> may have been included
 * before; then its definitions stay.
 */
#include "pt-regs.h"

#ifndef __BPF_TRACING_H__
#define __BPF_TRACING_H__

/* The arguments of raw tracepoints, tp_btf, fentry, fexit, fmod_ret, LSM, iterators and struct_ops: 64 bits each. */
#define SKEP_CONTEXT_0() ctx
#define SKEP_CONTEXT_1(x) SKEP_CONTEXT_0(), (void *)ctx[0]
#define SKEP_CONTEXT_2(x, ...) SKEP_CONTEXT_1(__VA_ARGS__), (void *)ctx[1]
#define SKEP_CONTEXT_3(x, ...) SKEP_CONTEXT_2(__VA_ARGS__), (void *)ctx[2]
#define SKEP_CONTEXT_4(x, ...) SKEP_CONTEXT_3(__VA_ARGS__), (void *)ctx[3]
#define SKEP_CONTEXT_5(x, ...) SKEP_CONTEXT_4(__VA_ARGS__), (void *)ctx[4]
#define SKEP_CONTEXT_6(x, ...) SKEP_CONTEXT_5(__VA_ARGS__), (void *)ctx[5]
#define SKEP_CONTEXT_7(x, ...) SKEP_CONTEXT_6(__VA_ARGS__), (void *)ctx[6]
#define SKEP_CONTEXT_8(x, ...) SKEP_CONTEXT_7(__VA_ARGS__), (void *)ctx[7]
#define SKEP_CONTEXT_9(x, ...) SKEP_CONTEXT_8(__VA_ARGS__), (void *)ctx[8]
#define SKEP_CONTEXT_10(x, ...) SKEP_CONTEXT_9(__VA_ARGS__), (void *)ctx[9]
#define SKEP_CONTEXT_11(x, ...) SKEP_CONTEXT_10(__VA_ARGS__), (void *)ctx[10]
#define SKEP_CONTEXT_12(x, ...) SKEP_CONTEXT_11(__VA_ARGS__), (void *)ctx[11]
#define SKEP_CONTEXT(args...) SKEP_BY_COUNT(SKEP_CONTEXT_, ##args)(args)

/* Casts of registers to the types that arguments were given: the compiler must not warn of each. */
#define SKEP_CALL(function, args...)										\
	_Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wint-conversion\"")			\
	return function(args);											\
	_Pragma("GCC diagnostic pop")

/*
 * The program `name` calls `body`, which has the arguments by name and is what the braces after the macro hold;
 * `ctx` is there too.
 */
#define SKEP_PROGRAM(name, body, context, values, args...)							\
	name(context);												\
	static __always_inline typeof(name(0)) body(context, ##args);						\
	typeof(name(0)) name(context)										\
	{													\
		SKEP_CALL(body, values)										\
	}													\
	static __always_inline typeof(name(0)) body(context, ##args)

/* SEC("fentry/do_unlinkat") int BPF_PROG(on_unlink, int dfd, struct filename *name) { … } */
#define BPF_PROG(name, args...)											\
	SKEP_PROGRAM(name, skep_body_##name, unsigned long long *ctx, SKEP_CONTEXT(args), ##args)

/*
 * The same where arguments are structs, which may take two of the 64-bit values: types and names alternate, six pairs
 * at most. SEC("fentry/f") int BPF_PROG2(on_f, struct pair, a, int, b) { … }
 */
#define SKEP_SLOTS(type) ((sizeof(type) + 7) / 8)
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define SKEP_TO_FRONT(type) (sizeof(type) < 8 ? 8 * (8 - sizeof(type)) : 0)
#else
#define SKEP_TO_FRONT(type) 0
#endif
#define SKEP_ARGUMENT(type, slot)										\
	({													\
		union {												\
			unsigned long long words[SKEP_SLOTS(type)];						\
			type value;										\
		} skep_argument;										\
		skep_argument.words[0] = ctx[slot] << SKEP_TO_FRONT(type);					\
		if (SKEP_SLOTS(type) > 1)									\
			skep_argument.words[SKEP_SLOTS(type) - 1] = ctx[(slot) + SKEP_SLOTS(type) - 1];		\
		skep_argument.value;										\
	})
#define SKEP_PAIRS_0()
#define SKEP_PAIRS_2(t, x) , t x
#define SKEP_PAIRS_4(t, x, ...) , t x SKEP_PAIRS_2(__VA_ARGS__)
#define SKEP_PAIRS_6(t, x, ...) , t x SKEP_PAIRS_4(__VA_ARGS__)
#define SKEP_PAIRS_8(t, x, ...) , t x SKEP_PAIRS_6(__VA_ARGS__)
#define SKEP_PAIRS_10(t, x, ...) , t x SKEP_PAIRS_8(__VA_ARGS__)
#define SKEP_PAIRS_12(t, x, ...) , t x SKEP_PAIRS_10(__VA_ARGS__)
#define SKEP_PAIRS(args...) SKEP_BY_COUNT(SKEP_PAIRS_, ##args)(args)
#define SKEP_PAIR_VALUES_0(slot)
#define SKEP_PAIR_VALUES_2(slot, t, x) , SKEP_ARGUMENT(t, slot)
#define SKEP_PAIR_VALUES_4(slot, t, x, ...)									\
	, SKEP_ARGUMENT(t, slot) SKEP_PAIR_VALUES_2((slot) + SKEP_SLOTS(t), __VA_ARGS__)
#define SKEP_PAIR_VALUES_6(slot, t, x, ...)									\
	, SKEP_ARGUMENT(t, slot) SKEP_PAIR_VALUES_4((slot) + SKEP_SLOTS(t), __VA_ARGS__)
#define SKEP_PAIR_VALUES_8(slot, t, x, ...)									\
	, SKEP_ARGUMENT(t, slot) SKEP_PAIR_VALUES_6((slot) + SKEP_SLOTS(t), __VA_ARGS__)
#define SKEP_PAIR_VALUES_10(slot, t, x, ...)									\
	, SKEP_ARGUMENT(t, slot) SKEP_PAIR_VALUES_8((slot) + SKEP_SLOTS(t), __VA_ARGS__)
#define SKEP_PAIR_VALUES_12(slot, t, x, ...)									\
	, SKEP_ARGUMENT(t, slot) SKEP_PAIR_VALUES_10((slot) + SKEP_SLOTS(t), __VA_ARGS__)
#define SKEP_PAIR_VALUES(args...) SKEP_BY_COUNT(SKEP_PAIR_VALUES_, ##args)(0, ##args)
#define BPF_PROG2(name, args...)										\
	name(unsigned long long *ctx);										\
	static __always_inline typeof(name(0)) skep_body_##name(unsigned long long *ctx SKEP_PAIRS(args));	\
	typeof(name(0)) name(unsigned long long *ctx)								\
	{													\
		return skep_body_##name(ctx SKEP_PAIR_VALUES(args));						\
	}													\
	static __always_inline typeof(name(0)) skep_body_##name(unsigned long long *ctx SKEP_PAIRS(args))

/* Arguments of a probed function, from its registers. */
#define SKEP_ARGUMENTS_0() ctx
#define SKEP_ARGUMENTS_1(x) SKEP_ARGUMENTS_0(), (void *)PT_REGS_PARM1(ctx)
#define SKEP_ARGUMENTS_2(x, ...) SKEP_ARGUMENTS_1(__VA_ARGS__), (void *)PT_REGS_PARM2(ctx)
#define SKEP_ARGUMENTS_3(x, ...) SKEP_ARGUMENTS_2(__VA_ARGS__), (void *)PT_REGS_PARM3(ctx)
#define SKEP_ARGUMENTS_4(x, ...) SKEP_ARGUMENTS_3(__VA_ARGS__), (void *)PT_REGS_PARM4(ctx)
#define SKEP_ARGUMENTS_5(x, ...) SKEP_ARGUMENTS_4(__VA_ARGS__), (void *)PT_REGS_PARM5(ctx)
#define SKEP_ARGUMENTS_6(x, ...) SKEP_ARGUMENTS_5(__VA_ARGS__), (void *)PT_REGS_PARM6(ctx)
#define SKEP_ARGUMENTS_7(x, ...) SKEP_ARGUMENTS_6(__VA_ARGS__), (void *)PT_REGS_PARM7(ctx)
#define SKEP_ARGUMENTS_8(x, ...) SKEP_ARGUMENTS_7(__VA_ARGS__), (void *)PT_REGS_PARM8(ctx)
#define SKEP_ARGUMENTS(args...) SKEP_BY_COUNT(SKEP_ARGUMENTS_, ##args)(args)

/* SEC("kprobe/do_unlinkat") int BPF_KPROBE(on_unlink, int dfd, struct filename *name) { … } */
#define BPF_KPROBE(name, args...)										\
	SKEP_PROGRAM(name, skep_body_##name, struct pt_regs *ctx, SKEP_ARGUMENTS(args), ##args)

/* SEC("kretprobe/do_unlinkat") int BPF_KRETPROBE(unlinked, long result) { … } */
#define SKEP_RESULT_0() ctx
#define SKEP_RESULT_1(x) ctx, (void *)PT_REGS_RC(ctx)
#define SKEP_RESULT(args...) SKEP_BY_COUNT(SKEP_RESULT_, ##args)(args)
#define BPF_KRETPROBE(name, args...)										\
	SKEP_PROGRAM(name, skep_body_##name, struct pt_regs *ctx, SKEP_RESULT(args), ##args)

/* The same for functions of processes. */
#define BPF_UPROBE(name, args...) BPF_KPROBE(name, ##args)
#define BPF_URETPROBE(name, args...) BPF_KRETPROBE(name, ##args)

/*
 * SEC("ksyscall/unlinkat") int BPF_KSYSCALL(on_unlink, int dfd, const char *path) { … }: the arguments of a system
 * call, to six, wherever this kernel keeps them. The loader answers LINUX_HAS_SYSCALL_WRAPPER.
 */
extern _Bool LINUX_HAS_SYSCALL_WRAPPER __kconfig;
#define SKEP_DIRECT_0() ctx
#define SKEP_DIRECT_1(x) SKEP_DIRECT_0(), (void *)PT_REGS_PARM1_SYSCALL(skep_regs)
#define SKEP_DIRECT_2(x, ...) SKEP_DIRECT_1(__VA_ARGS__), (void *)PT_REGS_PARM2_SYSCALL(skep_regs)
#define SKEP_DIRECT_3(x, ...) SKEP_DIRECT_2(__VA_ARGS__), (void *)PT_REGS_PARM3_SYSCALL(skep_regs)
#define SKEP_DIRECT_4(x, ...) SKEP_DIRECT_3(__VA_ARGS__), (void *)PT_REGS_PARM4_SYSCALL(skep_regs)
#define SKEP_DIRECT_5(x, ...) SKEP_DIRECT_4(__VA_ARGS__), (void *)PT_REGS_PARM5_SYSCALL(skep_regs)
#define SKEP_DIRECT_6(x, ...) SKEP_DIRECT_5(__VA_ARGS__), (void *)PT_REGS_PARM6_SYSCALL(skep_regs)
#define SKEP_DIRECT(args...) SKEP_BY_COUNT(SKEP_DIRECT_, ##args)(args)
#define SKEP_WRAPPED_0() ctx
#define SKEP_WRAPPED_1(x) SKEP_WRAPPED_0(), (void *)PT_REGS_PARM1_CORE_SYSCALL(skep_regs)
#define SKEP_WRAPPED_2(x, ...) SKEP_WRAPPED_1(__VA_ARGS__), (void *)PT_REGS_PARM2_CORE_SYSCALL(skep_regs)
#define SKEP_WRAPPED_3(x, ...) SKEP_WRAPPED_2(__VA_ARGS__), (void *)PT_REGS_PARM3_CORE_SYSCALL(skep_regs)
#define SKEP_WRAPPED_4(x, ...) SKEP_WRAPPED_3(__VA_ARGS__), (void *)PT_REGS_PARM4_CORE_SYSCALL(skep_regs)
#define SKEP_WRAPPED_5(x, ...) SKEP_WRAPPED_4(__VA_ARGS__), (void *)PT_REGS_PARM5_CORE_SYSCALL(skep_regs)
#define SKEP_WRAPPED_6(x, ...) SKEP_WRAPPED_5(__VA_ARGS__), (void *)PT_REGS_PARM6_CORE_SYSCALL(skep_regs)
#define SKEP_WRAPPED(args...) SKEP_BY_COUNT(SKEP_WRAPPED_, ##args)(args)
#define BPF_KSYSCALL(name, args...)										\
	name(struct pt_regs *ctx);										\
	static __always_inline typeof(name(0)) skep_body_##name(struct pt_regs *ctx, ##args);			\
	typeof(name(0)) name(struct pt_regs *ctx)								\
	{													\
		struct pt_regs *skep_regs __attribute__((unused)) =						\
			LINUX_HAS_SYSCALL_WRAPPER ? PT_REGS_SYSCALL_REGS(ctx) : ctx;				\
		if (LINUX_HAS_SYSCALL_WRAPPER) {								\
			SKEP_CALL(skep_body_##name, SKEP_WRAPPED(args))						\
		} else {											\
			SKEP_CALL(skep_body_##name, SKEP_DIRECT(args))						\
		}												\
	}													\
	static __always_inline typeof(name(0)) skep_body_##name(struct pt_regs *ctx, ##args)
#define BPF_KPROBE_SYSCALL BPF_KSYSCALL

#endif

#endif
