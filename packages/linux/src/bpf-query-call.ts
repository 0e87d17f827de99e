// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer } from "./attr-buffer.ts";
import { bpfError, bpfResult } from "./bpf.ts";
import { BpfCommand } from "./bpf-command.ts";
import type { FileDescriptor } from "./file-descriptor.ts";

/** The fields of BPF_PROG_QUERY. */
export interface QueryOptions {
  /** A descriptor, or the index of a network interface. */
  readonly target: FileDescriptor | number;
  /** `enum bpf_attach_type`. */
  readonly attachType: number;
  /** BPF_F_QUERY_EFFECTIVE is 1. */
  readonly flags?: number;
  /** Whether to ask for the links, which tcx and netkit can tell (6.6). */
  readonly links?: boolean;
}

/** What BPF_PROG_QUERY told. */
export interface QueryResult {
  /** In the order in which they run. */
  readonly programIds: Uint32Array;
  /** One a program, 0 for one without a link; empty when not asked for. */
  readonly linkIds: Uint32Array;
  /** 0 where the kernel keeps none. */
  readonly revision: bigint;
}

const ENOSPC = 28;
const firstCapacity = 64;

/** BPF_PROG_QUERY (4.15): the programs that are attached at a place. */
export function queryPrograms(options: QueryOptions, object?: string): QueryResult {
  const { target, attachType, flags = 0, links = false } = options;
  for (let capacity = firstCapacity; ; capacity *= 2) {
    const programIds = new Uint32Array(capacity);
    const linkIds = new Uint32Array(links ? capacity : 0);
    const attr = new AttrBuffer(64)
      .i32(0, typeof target === "number" ? target : target.number)
      .u32(4, attachType)
      .u32(8, flags)
      .pointer(16, programIds)
      .u32(24, capacity)
      .pointer(40, linkIds);
    const result = bpfResult(BpfCommand.PROG_QUERY, attr.address, attr.size);
    const count = attr.getU32(24);
    if (result === -ENOSPC) continue;
    if (result < 0) throw bpfError(BpfCommand.PROG_QUERY, -result, object);
    return {
      programIds: programIds.slice(0, count),
      linkIds: linkIds.slice(0, count),
      revision: attr.getBigint(56),
    };
  }
}
