// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer } from "./attr-buffer.ts";
import { bpf } from "./bpf.ts";
import { BpfCommand } from "./bpf-command.ts";
import { FileDescriptor } from "./file-descriptor.ts";
import { type LinkDetail, writeLinkDetail } from "./link-detail.ts";

/** `BPF_PERF_EVENT` of `enum bpf_attach_type`: a link to a perf event (5.15). */
export const BPF_PERF_EVENT = 41;

/** The fields of BPF_LINK_CREATE. */
export interface LinkCreateOptions {
  /** The program's descriptor; a map's for struct_ops. */
  readonly program: FileDescriptor | number;
  /** A descriptor, or its number, or the index of a network interface; none for kinds whose detail says it all. */
  readonly target?: FileDescriptor | number;
  /** `enum bpf_attach_type`, such as {@link BPF_PERF_EVENT}. */
  readonly attachType: number;
  /** `XDP_FLAGS_*` or `BPF_F_*`, by kind. */
  readonly flags?: number;
  /** What the kind of link asks for beside that. */
  readonly detail?: LinkDetail;
}

const createSize = 64;

/** BPF_LINK_CREATE (5.7). Closing the descriptor detaches. */
export function createLink(options: LinkCreateOptions, object?: string): FileDescriptor {
  const { program, target = 0, attachType, flags = 0, detail } = options;
  const attr = new AttrBuffer(createSize)
    .i32(0, typeof program === "number" ? program : program.number)
    .i32(4, typeof target === "number" ? target : target.number)
    .u32(8, attachType)
    .u32(12, flags);
  if (detail !== undefined) writeLinkDetail(attr, detail);
  return new FileDescriptor(bpf(BpfCommand.LINK_CREATE, attr, object));
}

/** BPF_LINK_UPDATE (5.7): puts another program in the place of the attached one; for struct_ops (6.4) another map. */
export function updateLink(link: FileDescriptor, by: FileDescriptor | number, object?: string): void {
  const attr = new AttrBuffer(16).i32(0, link.number).i32(4, typeof by === "number" ? by : by.number);
  bpf(BpfCommand.LINK_UPDATE, attr, object);
}

/**
 * BPF_LINK_DETACH (5.9): ends the attachment; the link stays open and does nothing. EOPNOTSUPP for kinds that
 * cannot.
 */
export function detachLink(link: FileDescriptor, object?: string): void {
  bpf(BpfCommand.LINK_DETACH, new AttrBuffer(4).i32(0, link.number), object);
}

/** BPF_ITER_CREATE (5.8): a descriptor that is read from the beginning to the end; nonblocking, closed on exec. */
export function createIterator(link: FileDescriptor, object?: string): FileDescriptor {
  return new FileDescriptor(bpf(BpfCommand.ITER_CREATE, new AttrBuffer(8).i32(0, link.number), object));
}

/**
 * BPF_RAW_TRACEPOINT_OPEN (4.17): attaches to a raw tracepoint by name, or, without a name, to the kernel type
 * that a tracing program was loaded for (5.5). A cookie needs 6.10. Closing the descriptor detaches.
 */
export function openRawTracepoint(
  program: FileDescriptor,
  name: string | undefined,
  object?: string,
  cookie?: bigint,
): FileDescriptor {
  const text = name === undefined ? undefined : Buffer.from(`${name}\0`, "latin1");
  const attr = new AttrBuffer(24)
    .pointer(0, text)
    .i32(8, program.number)
    .bigint(16, cookie ?? 0n);
  return new FileDescriptor(bpf(BpfCommand.RAW_TRACEPOINT_OPEN, attr, object));
}
