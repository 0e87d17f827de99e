// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer } from "./attr-buffer.ts";
import { bpf } from "./bpf.ts";
import { BpfCommand } from "./bpf-command.ts";
import { FileDescriptor } from "./file-descriptor.ts";

/** `BPF_PERF_EVENT` of `enum bpf_attach_type`: a link to a perf event (5.15). */
export const BPF_PERF_EVENT = 41;

/** The fields of BPF_LINK_CREATE for a link whose target is a descriptor. */
export interface LinkCreateOptions {
  readonly program: FileDescriptor;
  readonly target: FileDescriptor;
  /** `enum bpf_attach_type`, such as {@link BPF_PERF_EVENT}. */
  readonly attachType: number;
  /** What bpf_get_attach_cookie gives to the program; perf event links only. */
  readonly cookie?: bigint;
}

/** BPF_LINK_CREATE (5.7). Closing the descriptor detaches. */
export function createLink(options: LinkCreateOptions, object?: string): FileDescriptor {
  const attr = new AttrBuffer(24)
    .i32(0, options.program.number)
    .i32(4, options.target.number)
    .u32(8, options.attachType)
    .bigint(16, options.cookie ?? 0n);
  return new FileDescriptor(bpf(BpfCommand.LINK_CREATE, attr, object));
}

/**
 * BPF_RAW_TRACEPOINT_OPEN (4.17): attaches to a raw tracepoint by name, or, without a name, to the kernel type
 * that a tracing program was loaded for (5.5). Closing the descriptor detaches.
 */
export function openRawTracepoint(program: FileDescriptor, name: string | undefined, object?: string): FileDescriptor {
  const text = name === undefined ? undefined : Buffer.from(`${name}\0`, "latin1");
  const attr = new AttrBuffer(16).pointer(0, text).i32(8, program.number);
  return new FileDescriptor(bpf(BpfCommand.RAW_TRACEPOINT_OPEN, attr, object));
}
