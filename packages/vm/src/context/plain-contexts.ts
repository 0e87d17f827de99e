// SPDX-License-Identifier: Apache-2.0

import { ProgramType } from "@skep/ebpf";
import type { ContextBytes, ContextLayout } from "./context-layout.ts";
import { contextFields, members } from "./struct-fields.ts";

/** MAX_BPF_FUNC_ARGS: arguments of a raw tracepoint. */
const ARGUMENTS = 12;
/** PERF_MAX_TRACE_SIZE: the longest record of a tracepoint. */
const TRACE_SIZE = 8192;
/** The longest argument of a SYSCALL program. */
const SYSCALL_SIZE = 65_535;

function bytesLayout(programType: ProgramType, name: string, size: number, bytes: ContextBytes): ContextLayout {
  return { programType, name, size, fields: [], bytes, packet: undefined };
}

/** A tracepoint's record: the bytes that its `format` file describes, the first 8 of which are the kernel's. */
export const tracepointLayout: ContextLayout = bytesLayout(
  ProgramType.TRACEPOINT,
  "a tracepoint's record",
  TRACE_SIZE,
  {
    first: 8,
    writable: false,
  },
);

/** `struct bpf_raw_tracepoint_args`: up to 12 arguments of 64 bits. */
export const rawTracepointLayout: ContextLayout = bytesLayout(
  ProgramType.RAW_TRACEPOINT,
  "struct bpf_raw_tracepoint_args",
  ARGUMENTS * 8,
  { first: 0, writable: false },
);

/** The same, whose first argument points at a buffer that the program may write. */
export const writableRawTracepointLayout: ContextLayout = {
  ...rawTracepointLayout,
  programType: ProgramType.RAW_TRACEPOINT_WRITABLE,
};

/** Arguments of a function that is traced, 64 bits each; its result behind them for fexit. */
export const tracingLayout: ContextLayout = bytesLayout(
  ProgramType.TRACING,
  "arguments of a function",
  (ARGUMENTS + 1) * 8,
  {
    first: 0,
    writable: false,
  },
);

/** The argument of a SYSCALL program: what the caller gives, read and written back. */
export const syscallLayout: ContextLayout = bytesLayout(ProgramType.SYSCALL, "a caller's bytes", SYSCALL_SIZE, {
  first: 0,
  writable: true,
});

const registers = "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss";

/** `struct pt_regs` of x86-64, which kprobe programs get, and perf event programs at the beginning of theirs. */
export const kprobeLayout: ContextLayout = {
  programType: ProgramType.KPROBE,
  name: "struct pt_regs",
  size: 168,
  fields: contextFields(members(8, registers), { parts: registers }),
  bytes: undefined,
  packet: undefined,
};

/** `struct bpf_perf_event_data` of x86-64: pe_prog_is_valid_access. */
export const perfEventLayout: ContextLayout = {
  programType: ProgramType.PERF_EVENT,
  name: "struct bpf_perf_event_data",
  size: 184,
  fields: contextFields(members(8, `${registers} sample_period addr`), { parts: "sample_period addr" }),
  bytes: undefined,
  packet: undefined,
};
