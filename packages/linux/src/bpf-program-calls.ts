// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer } from "./attr-buffer.ts";
import { bpf, bpfError, bpfResult } from "./bpf.ts";
import { BpfCommand } from "./bpf-command.ts";
import { BPF_F_TOKEN_FD } from "./bpf-token-call.ts";
import type { FileDescriptor } from "./file-descriptor.ts";

/** The fields of BPF_PROG_LOAD. */
export interface ProgramLoadOptions {
  readonly type: number;
  /** 8 bytes a slot, map references filled in. */
  readonly instructions: Uint8Array;
  readonly license: string;
  /** At most 15 of `[A-Za-z0-9_.]`; Linux 4.15. */
  readonly name?: string;
  readonly flags?: number;
  readonly expectedAttachType?: number;
  /** For kprobes before 5.0. */
  readonly kernelVersion?: number;
  /** BTF type that a tracing program is verified against; an id of the kernel's BTF. */
  readonly attachBtfId?: number;
  /** What that id belongs to: a loaded program (5.5), or a module's BTF (5.11). The kernel's own BTF when absent. */
  readonly attachObjectFd?: number;
  /** The network interface that the program is bound to; hardware offload (4.16), BPF_F_XDP_DEV_BOUND_ONLY (6.3). */
  readonly interfaceIndex?: number;
  /** Descriptor of a BPF token that lends the right to do it (6.9). */
  readonly tokenFd?: number;
  /** Descriptors of modules' BTF, which calls of functions of modules name by their index (5.14). */
  readonly descriptors?: Int32Array;
  /** Descriptor of the object's BTF, which both infos refer to. */
  readonly btfFd?: number;
  /** `struct bpf_func_info`, 8 bytes a record. */
  readonly functionInfo?: Uint8Array;
  /** `struct bpf_line_info`, 16 bytes a record. */
  readonly lineInfo?: Uint8Array;
}

/** Where the verifier writes. */
export interface VerifierLogBuffer {
  readonly bytes: Uint8Array;
  /** 1: branches, 2: every instruction, 4: statistics; to be added up. */
  readonly level: number;
}

/** What BPF_PROG_LOAD gave. */
export interface ProgramLoadResult {
  /** Descriptor, or the negative errno. */
  readonly result: number;
  /** Bytes that the whole log takes, NUL included; 0 on kernels before 6.4. */
  readonly logTrueSize: number;
}

const attrSize = 152;

/** BPF_PROG_LOAD, unchecked: the caller knows what to do about a refusal. EAGAIN is retried up to five times. */
export function loadProgram(options: ProgramLoadOptions, log?: VerifierLogBuffer): ProgramLoadResult {
  const { instructions, functionInfo, lineInfo } = options;
  const license = Buffer.from(`${options.license}\0`, "latin1");
  const attr = new AttrBuffer(attrSize)
    .u32(0, options.type)
    .u32(4, instructions.length / 8)
    .pointer(8, instructions)
    .pointer(16, license)
    .u32(40, options.kernelVersion ?? 0)
    .u32(44, (options.flags ?? 0) | (options.tokenFd === undefined ? 0 : BPF_F_TOKEN_FD))
    .text(48, 16, options.name ?? "")
    .u32(64, options.interfaceIndex ?? 0)
    .u32(68, options.expectedAttachType ?? 0)
    .u32(108, options.attachBtfId ?? 0)
    .i32(112, options.attachObjectFd ?? 0)
    .i32(144, options.tokenFd ?? 0);
  if (options.descriptors !== undefined) attr.pointer(120, options.descriptors);
  if (options.btfFd !== undefined) {
    attr.i32(72, options.btfFd);
    if (functionInfo !== undefined && functionInfo.length > 0) {
      attr
        .u32(76, 8)
        .pointer(80, functionInfo)
        .u32(88, functionInfo.length / 8);
    }
    if (lineInfo !== undefined && lineInfo.length > 0) {
      attr
        .u32(92, 16)
        .pointer(96, lineInfo)
        .u32(104, lineInfo.length / 16);
    }
  }
  if (log !== undefined) attr.u32(24, log.level).u32(28, log.bytes.length).pointer(32, log.bytes);
  // The verifier gives up with EAGAIN when a signal is pending; libbpf tries five times as well.
  for (let attempt = 1; ; attempt++) {
    const result = bpfResult(BpfCommand.PROG_LOAD, attr.address, attrSize);
    if (result !== -EAGAIN || attempt === 5) return { result, logTrueSize: attr.getU32(140) };
  }
}

const EAGAIN = 11;

/** Input of BPF_PROG_TEST_RUN. */
export interface RunOptions {
  /** A packet, for program types that take one. */
  readonly data?: Uint8Array;
  /** Bytes to keep for the packet as the program leaves it; its length and 256 bytes more unless given. */
  readonly dataOutSize?: number;
  /** The context structure, for program types that take one. */
  readonly context?: Uint8Array;
  /** Bytes to keep for the context as the program leaves it; 0 unless given. */
  readonly contextOutSize?: number;
  /** Times to run it; 1 unless given. Must be left out for SYSCALL programs. */
  readonly repeat?: number;
  /** BPF_F_TEST_RUN_ON_CPU 1, BPF_F_TEST_XDP_LIVE_FRAMES 2 and the like. */
  readonly flags?: number;
  /** The CPU to run on, with BPF_F_TEST_RUN_ON_CPU. */
  readonly cpu?: number;
  /** Frames in a batch, with BPF_F_TEST_XDP_LIVE_FRAMES. */
  readonly batchSize?: number;
}

/** Output of BPF_PROG_TEST_RUN. */
export interface RunResult {
  /** What the program returned, as an unsigned number. */
  readonly returned: number;
  /** Mean nanoseconds of a run. */
  readonly duration: number;
  /** The packet as the program left it; empty when none went in. */
  readonly data: Uint8Array;
  /** The context as the program left it; empty when none was asked for. */
  readonly context: Uint8Array;
}

/** XDP_PACKET_HEADROOM: how far a program may move the start of its packet. */
const HEADROOM = 256;
const BPF_F_TEST_XDP_LIVE_FRAMES = 2;

/**
 * BPF_PROG_TEST_RUN (4.12): runs a loaded program on given input. A signal ends a repeated run early, with EINTR; it
 * is not retried, since the runs before it have happened. A single run is never interrupted. ENOSPC when the
 * packet or the context that comes out does not fit.
 */
export function runProgram(fd: FileDescriptor, options: RunOptions, object?: string): RunResult {
  const { data, context, repeat = 0, flags = 0, contextOutSize = 0 } = options;
  // Live frames go away into the network; raw tracepoints and system calls have no packet.
  const hasOutput = data !== undefined && (flags & BPF_F_TEST_XDP_LIVE_FRAMES) === 0;
  const dataOut = new Uint8Array(hasOutput ? (options.dataOutSize ?? data.length + HEADROOM) : 0);
  const contextOut = new Uint8Array(contextOutSize);
  const attr = new AttrBuffer(80)
    .i32(0, fd.number)
    .u32(32, repeat)
    .u32(64, flags)
    .u32(68, options.cpu ?? 0)
    .u32(72, options.batchSize ?? 0);
  if (data !== undefined) attr.u32(8, data.length).pointer(16, data);
  if (dataOut.length > 0) attr.u32(12, dataOut.length).pointer(24, dataOut);
  if (context !== undefined) attr.u32(40, context.length).pointer(48, context);
  if (contextOutSize > 0) attr.u32(44, contextOutSize).pointer(56, contextOut);
  const result = bpfResult(BpfCommand.PROG_TEST_RUN, attr.address, attr.size);
  if (result < 0) throw bpfError(BpfCommand.PROG_TEST_RUN, -result, object);
  return {
    returned: attr.getU32(4),
    duration: attr.getU32(36),
    data: dataOut.subarray(0, Math.min(dataOut.length, attr.getU32(12))),
    context: contextOut.subarray(0, Math.min(contextOutSize, attr.getU32(44))),
  };
}

/** BPF_PROG_BIND_MAP (5.10): the program holds the map from now on. */
export function bindMapToProgram(program: FileDescriptor, mapFd: number, object?: string): void {
  bpf(BpfCommand.PROG_BIND_MAP, new AttrBuffer(12).i32(0, program.number).i32(4, mapFd), object);
}
