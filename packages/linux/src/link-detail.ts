// SPDX-License-Identifier: Apache-2.0

import type { AttrBuffer } from "./attr-buffer.ts";

/** The part of BPF_LINK_CREATE that differs by kind of link. */
export type LinkDetail =
  | { readonly kind: "perf_event"; readonly cookie: bigint }
  | { readonly kind: "tracing"; readonly btfId: number; readonly cookie: bigint }
  | OrderDetail
  | NetfilterDetail
  | IteratorDetail
  | KprobeMultiDetail
  | UprobeMultiDetail;

/** Order among programs at one place: tcx (6.6), netkit (6.7), cgroups (6.17). */
export interface OrderDetail {
  readonly kind: "order";
  /** A descriptor, or an id when the flags have BPF_F_ID; 0 for none. */
  readonly relative: number;
  /** 0 for any. */
  readonly revision: bigint;
}

/** A netfilter hook (6.4). */
export interface NetfilterDetail {
  readonly kind: "netfilter";
  readonly family: number;
  readonly hook: number;
  readonly priority: number;
  readonly flags: number;
}

/** What an iterator walks: a `union bpf_iter_link_info` of 16 bytes (5.9). */
export interface IteratorDetail {
  readonly kind: "iterator";
  readonly info: Uint8Array;
}

/** Kernel functions (5.18). */
export interface KprobeMultiDetail {
  readonly kind: "kprobe_multi";
  /** BPF_F_KPROBE_MULTI_RETURN is 1. */
  readonly flags: number;
  /** Names, or addresses. */
  readonly symbols: readonly string[] | BigUint64Array;
  readonly cookies: BigUint64Array | undefined;
}

/** Places in one file (6.6). */
export interface UprobeMultiDetail {
  readonly kind: "uprobe_multi";
  readonly path: string;
  /** Bytes from the beginning of the file. */
  readonly offsets: BigUint64Array;
  readonly referenceCounters: BigUint64Array | undefined;
  readonly cookies: BigUint64Array | undefined;
  /** BPF_F_UPROBE_MULTI_RETURN is 1. */
  readonly flags: number;
  /** 0 for every process. */
  readonly pid: number;
}

/** Writes a detail into a `union bpf_attr` of at least 64 bytes. */
export function writeLinkDetail(attr: AttrBuffer, detail: LinkDetail): void {
  switch (detail.kind) {
    case "perf_event":
      attr.bigint(16, detail.cookie);
      return;
    case "tracing":
      attr.u32(16, detail.btfId).bigint(24, detail.cookie);
      return;
    case "order":
      attr.i32(16, detail.relative).bigint(24, detail.revision);
      return;
    case "netfilter":
      attr.u32(16, detail.family).u32(20, detail.hook).i32(24, detail.priority).u32(28, detail.flags);
      return;
    case "iterator":
      attr.pointer(16, detail.info).u32(24, detail.info.length);
      return;
    case "kprobe_multi": {
      const { symbols } = detail;
      attr.u32(16, detail.flags).u32(20, symbols.length).pointer(40, detail.cookies);
      if (symbols instanceof BigUint64Array) attr.pointer(32, symbols);
      else attr.pointer(24, pointersTo(attr, symbols));
      return;
    }
    case "uprobe_multi":
      attr
        .pointer(16, Buffer.from(`${detail.path}\0`, "utf8"))
        .pointer(24, detail.offsets)
        .pointer(32, detail.referenceCounters)
        .pointer(40, detail.cookies)
        .u32(48, detail.offsets.length)
        .u32(52, detail.flags)
        .u32(56, detail.pid);
      return;
  }
}

/** An array of `const char *`. All names lie in one buffer, which the attribute keeps alive. */
function pointersTo(attr: AttrBuffer, names: readonly string[]): BigUint64Array {
  const text = Buffer.from(names.map((name) => `${name}\0`).join(""), "latin1");
  // Written to a field that is overwritten next: it ties the names' memory to the attribute.
  attr.pointer(24, text);
  const base = attr.getBigint(24);
  const pointers = new BigUint64Array(names.length);
  let at = 0;
  names.forEach((name, index) => {
    pointers[index] = base + BigInt(at);
    at += name.length + 1;
  });
  return pointers;
}
