/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_PT_REGS_H
#define SKEP_PT_REGS_H

/*
 * The registers that kprobes, uprobes and perf events see, by their part in a call. -D__TARGET_ARCH_x86 or _arm64 says
 * which machine's; without it everything else compiles, and only what asks for a register does not.
 *
 *   PT_REGS_PARM1..8   arguments of a function; x86-64 passes six in registers
 *   PT_REGS_RC         its result
 *   PT_REGS_RET        the return address (x86-64: where it lies, the stack pointer)
 *   PT_REGS_FP, _SP, _IP
 *
 * ..._CORE reads them from the kernel's memory with CO-RE, for registers that are not the program's context.
 * ..._SYSCALL are the arguments of a system call, in what PT_REGS_SYSCALL_REGS() gives.
 */
#include "core.h"

#ifndef __BPF_TRACING_H__
#if !defined(__TARGET_ARCH_x86) && !defined(__TARGET_ARCH_arm64) && !defined(__bpf__)
#if defined(__x86_64__)
#define __TARGET_ARCH_x86
#elif defined(__aarch64__)
#define __TARGET_ARCH_arm64
#endif
#endif

#if defined(__TARGET_ARCH_x86)

#if defined(__VMLINUX_H__)
#define SKEP_X86(kernel, user) kernel
#elif defined(_ASM_X86_PTRACE_H)
/* <linux/ptrace.h> came before, which has other names for the same registers. */
#define SKEP_X86(kernel, user) user
#else
#define _ASM_X86_PTRACE_H
#define SKEP_X86(kernel, user) kernel
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx;
	unsigned long r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};
#endif
#ifndef __VMLINUX_H__
typedef struct pt_regs bpf_user_pt_regs_t;
#endif

#define SKEP_REGS(x) ((const struct pt_regs *)(x))
#define SKEP_SYSCALL_REGS(x) SKEP_REGS(x)
#define SKEP_REG_PARM1 SKEP_X86(di, rdi)
#define SKEP_REG_PARM2 SKEP_X86(si, rsi)
#define SKEP_REG_PARM3 SKEP_X86(dx, rdx)
#define SKEP_REG_PARM4 SKEP_X86(cx, rcx)
#define SKEP_REG_PARM5 r8
#define SKEP_REG_PARM6 r9
#define SKEP_REG_PARM1_SYSCALL SKEP_REG_PARM1
#define SKEP_REG_PARM4_SYSCALL r10
#define SKEP_REG_RET SKEP_X86(sp, rsp)
#define SKEP_REG_FP SKEP_X86(bp, rbp)
#define SKEP_REG_RC SKEP_X86(ax, rax)
#define SKEP_REG_SP SKEP_X86(sp, rsp)
#define SKEP_REG_IP SKEP_X86(ip, rip)
/* The kernel's entry hands the user's registers to a system call as its one argument (CONFIG_ARCH_HAS_SYSCALL_WRAPPER). */
#define PT_REGS_SYSCALL_REGS(ctx) ((struct pt_regs *)PT_REGS_PARM1(ctx))

#elif defined(__TARGET_ARCH_arm64)

#if !defined(__VMLINUX_H__) && !defined(__ASM_PTRACE_H) && !defined(_UAPI__ASM_PTRACE_H)
#define __ASM_PTRACE_H
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
};
#endif
#ifndef __VMLINUX_H__
typedef struct user_pt_regs bpf_user_pt_regs_t;
#endif
/* The first argument of a system call is kept apart: its register takes the result. */
struct pt_regs___skep_arm64 {
	unsigned long orig_x0;
} __attribute__((preserve_access_index));

#define SKEP_REGS(x) ((const struct user_pt_regs *)(x))
#define SKEP_SYSCALL_REGS(x) ((const struct pt_regs___skep_arm64 *)(x))
#define SKEP_REG_PARM1 regs[0]
#define SKEP_REG_PARM2 regs[1]
#define SKEP_REG_PARM3 regs[2]
#define SKEP_REG_PARM4 regs[3]
#define SKEP_REG_PARM5 regs[4]
#define SKEP_REG_PARM6 regs[5]
#define SKEP_REG_PARM7 regs[6]
#define SKEP_REG_PARM8 regs[7]
#define SKEP_REG_PARM1_SYSCALL orig_x0
#define SKEP_REG_PARM4_SYSCALL regs[3]
#define SKEP_REG_RET regs[30]
#define SKEP_REG_FP regs[29]
#define SKEP_REG_RC regs[0]
#define SKEP_REG_SP sp
#define SKEP_REG_IP pc
#define PT_REGS_SYSCALL_REGS(ctx) ((struct pt_regs *)PT_REGS_PARM1(ctx))

#endif

#ifdef SKEP_REGS
#define SKEP_REGISTER(x, reg) (SKEP_REGS(x)->reg)
#define SKEP_REGISTER_CORE(x, reg) BPF_CORE_READ(SKEP_REGS(x), reg)
#define SKEP_SYSCALL_REGISTER(x, reg) SKEP_REGISTER(x, reg)
#define SKEP_SYSCALL_REGISTER_CORE(x, reg) SKEP_REGISTER_CORE(x, reg)
#else
#define SKEP_NO_REGISTERS(...)											\
	({													\
		_Static_assert(0, "registers need -D__TARGET_ARCH_x86 or -D__TARGET_ARCH_arm64");		\
		0ull;												\
	})
#define SKEP_REGISTER SKEP_NO_REGISTERS
#define SKEP_REGISTER_CORE SKEP_NO_REGISTERS
#define SKEP_SYSCALL_REGS(x) SKEP_NO_REGISTERS(x)
#define PT_REGS_SYSCALL_REGS(ctx) ((struct pt_regs *)SKEP_NO_REGISTERS(ctx))
struct pt_regs;
#endif

#define PT_REGS_PARM1(x) SKEP_REGISTER(x, SKEP_REG_PARM1)
#define PT_REGS_PARM2(x) SKEP_REGISTER(x, SKEP_REG_PARM2)
#define PT_REGS_PARM3(x) SKEP_REGISTER(x, SKEP_REG_PARM3)
#define PT_REGS_PARM4(x) SKEP_REGISTER(x, SKEP_REG_PARM4)
#define PT_REGS_PARM5(x) SKEP_REGISTER(x, SKEP_REG_PARM5)
#define PT_REGS_PARM6(x) SKEP_REGISTER(x, SKEP_REG_PARM6)
#define PT_REGS_RET(x) SKEP_REGISTER(x, SKEP_REG_RET)
#define PT_REGS_FP(x) SKEP_REGISTER(x, SKEP_REG_FP)
#define PT_REGS_RC(x) SKEP_REGISTER(x, SKEP_REG_RC)
#define PT_REGS_SP(x) SKEP_REGISTER(x, SKEP_REG_SP)
#define PT_REGS_IP(x) SKEP_REGISTER(x, SKEP_REG_IP)
#define PT_REGS_PARM1_CORE(x) SKEP_REGISTER_CORE(x, SKEP_REG_PARM1)
#define PT_REGS_PARM2_CORE(x) SKEP_REGISTER_CORE(x, SKEP_REG_PARM2)
#define PT_REGS_PARM3_CORE(x) SKEP_REGISTER_CORE(x, SKEP_REG_PARM3)
#define PT_REGS_PARM4_CORE(x) SKEP_REGISTER_CORE(x, SKEP_REG_PARM4)
#define PT_REGS_PARM5_CORE(x) SKEP_REGISTER_CORE(x, SKEP_REG_PARM5)
#define PT_REGS_PARM6_CORE(x) SKEP_REGISTER_CORE(x, SKEP_REG_PARM6)
#define PT_REGS_RET_CORE(x) SKEP_REGISTER_CORE(x, SKEP_REG_RET)
#define PT_REGS_FP_CORE(x) SKEP_REGISTER_CORE(x, SKEP_REG_FP)
#define PT_REGS_RC_CORE(x) SKEP_REGISTER_CORE(x, SKEP_REG_RC)
#define PT_REGS_SP_CORE(x) SKEP_REGISTER_CORE(x, SKEP_REG_SP)
#define PT_REGS_IP_CORE(x) SKEP_REGISTER_CORE(x, SKEP_REG_IP)
#ifdef SKEP_REG_PARM7
#define PT_REGS_PARM7(x) SKEP_REGISTER(x, SKEP_REG_PARM7)
#define PT_REGS_PARM8(x) SKEP_REGISTER(x, SKEP_REG_PARM8)
#define PT_REGS_PARM7_CORE(x) SKEP_REGISTER_CORE(x, SKEP_REG_PARM7)
#define PT_REGS_PARM8_CORE(x) SKEP_REGISTER_CORE(x, SKEP_REG_PARM8)
#else
#define SKEP_ON_STACK(...)											\
	({													\
		_Static_assert(0, "this machine passes the seventh argument and those after it on the stack");	\
		0ull;												\
	})
#define PT_REGS_PARM7(x) SKEP_ON_STACK(x)
#define PT_REGS_PARM8(x) SKEP_ON_STACK(x)
#define PT_REGS_PARM7_CORE(x) SKEP_ON_STACK(x)
#define PT_REGS_PARM8_CORE(x) SKEP_ON_STACK(x)
#endif

#ifdef SKEP_REGS
#if defined(__TARGET_ARCH_arm64)
/* Not part of what a program may read as its context: read from memory always. */
#define PT_REGS_PARM1_SYSCALL(x) PT_REGS_PARM1_CORE_SYSCALL(x)
#else
#define PT_REGS_PARM1_SYSCALL(x) (SKEP_SYSCALL_REGS(x)->SKEP_REG_PARM1_SYSCALL)
#endif
#define PT_REGS_PARM1_CORE_SYSCALL(x) BPF_CORE_READ(SKEP_SYSCALL_REGS(x), SKEP_REG_PARM1_SYSCALL)
#else
#define PT_REGS_PARM1_SYSCALL(x) SKEP_NO_REGISTERS(x)
#define PT_REGS_PARM1_CORE_SYSCALL(x) SKEP_NO_REGISTERS(x)
#endif
#define PT_REGS_PARM2_SYSCALL(x) SKEP_REGISTER(x, SKEP_REG_PARM2)
#define PT_REGS_PARM2_CORE_SYSCALL(x) SKEP_REGISTER_CORE(x, SKEP_REG_PARM2)
#define PT_REGS_PARM3_SYSCALL(x) SKEP_REGISTER(x, SKEP_REG_PARM3)
#define PT_REGS_PARM3_CORE_SYSCALL(x) SKEP_REGISTER_CORE(x, SKEP_REG_PARM3)
#define PT_REGS_PARM4_SYSCALL(x) SKEP_REGISTER(x, SKEP_REG_PARM4_SYSCALL)
#define PT_REGS_PARM4_CORE_SYSCALL(x) SKEP_REGISTER_CORE(x, SKEP_REG_PARM4_SYSCALL)
#define PT_REGS_PARM5_SYSCALL(x) SKEP_REGISTER(x, SKEP_REG_PARM5)
#define PT_REGS_PARM5_CORE_SYSCALL(x) SKEP_REGISTER_CORE(x, SKEP_REG_PARM5)
#define PT_REGS_PARM6_SYSCALL(x) SKEP_REGISTER(x, SKEP_REG_PARM6)
#define PT_REGS_PARM6_CORE_SYSCALL(x) SKEP_REGISTER_CORE(x, SKEP_REG_PARM6)

/* The return address as a value: in a kprobe or uprobe (x86-64: at its first instruction), and in a return probe. */
#if defined(__TARGET_ARCH_x86)
#define BPF_KPROBE_READ_RET_IP(ip, ctx) bpf_probe_read_kernel(&(ip), sizeof(ip), (void *)PT_REGS_RET(ctx))
#define BPF_KRETPROBE_READ_RET_IP(ip, ctx) bpf_probe_read_kernel(&(ip), sizeof(ip), (void *)(PT_REGS_FP(ctx) + sizeof(ip)))
#else
#define BPF_KPROBE_READ_RET_IP(ip, ctx) ({ (ip) = PT_REGS_RET(ctx); })
#define BPF_KRETPROBE_READ_RET_IP BPF_KPROBE_READ_RET_IP
#endif
#endif

#ifndef SKEP_PERF_EVENT_DATA
#define SKEP_PERF_EVENT_DATA
#if !defined(__VMLINUX_H__) && !defined(_UAPI__LINUX_BPF_PERF_EVENT_H__) && !defined(__LINUX_BPF_PERF_EVENT_H__) && \
	defined(SKEP_REGS)
#define __LINUX_BPF_PERF_EVENT_H__
#define _UAPI__ASM_BPF_PERF_EVENT_H__
#define __ASM_GENERIC_BPF_PERF_EVENT_H__
/* The context of a perf_event program. */
struct bpf_perf_event_data {
	bpf_user_pt_regs_t regs;
	__u64 sample_period;
	__u64 addr;
};
#endif
#endif

#endif
