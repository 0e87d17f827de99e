// SPDX-License-Identifier: Apache-2.0

import type { ProgramType } from "@skep/ebpf";
import type { RegionAccess } from "../memory/vm-memory.ts";

/** What a field that holds an address points at; `memory` and `memory-end` bound bytes that are no packet. */
export type ContextPointer = "packet" | "packet-end" | "packet-meta" | "socket" | "flow-keys" | "memory" | "memory-end";

/**
 * What of a 32-bit field the kernel keeps, whose own has 16 bits: `half`, the lower 16; `queue`, numbers below 0xffff as they
 * are, while others change nothing (NO_QUEUE_MAPPING).
 */
export type FieldKeeps = "half" | "queue";

/** A field of a context, with how a program may touch it. */
export interface ContextField {
  readonly name: string;
  /** Bytes from the context's beginning. */
  readonly offset: number;
  /** Bytes of one element. */
  readonly size: number;
  /** Elements; 1 unless it is an array. */
  readonly count: number;
  /** Fewest bytes that may be read at once: 1 of most 32-bit fields, `size` where only the whole; 0: may not be read. */
  readonly read: number;
  /** Fewest bytes that may be written at once; 0: may not be written. */
  readonly write: number;
  /** Whether the parts that may be read are only those at its first byte. */
  readonly startOnly: boolean;
  /** Whether neighbouring elements may be read, and written where one may, in one aligned access. */
  readonly wide: boolean;
  /** Whether as many zero bytes follow as it has, which may be read with it: a 16-bit port as 32 bits. */
  readonly padded: boolean;
  readonly signed: boolean;
  readonly pointer: ContextPointer | undefined;
  /** Absent: all of it. */
  readonly keeps?: FieldKeeps;
}

/** Where a context has the bounds of its packet: offsets of fields that hold addresses, of 32 bits, or of 64 with the upper 0. */
export interface PacketFields {
  readonly data: number;
  readonly dataEnd: number;
  readonly dataMeta: number | undefined;
  /** `len` of a socket buffer, `size` of a message. */
  readonly length: number | undefined;
  /** Bytes before the packet that a program may move its start into. */
  readonly headroom: number;
  /** Bytes from the packet's beginning that it may grow to in place; 0 where it does not grow. */
  readonly growth: number;
  /**
   * `frame`: data begins at the Ethernet header. `network`: it is given from there on, and the program's packet begins
   * behind. `bytes`: there is none.
   */
  readonly begins: "frame" | "network" | "bytes";
  /** How a program may touch the packet by its address. */
  readonly access: RegionAccess;
}

/** A context of bytes without fields: a tracepoint's record, the argument of a SYSCALL program. */
export interface ContextBytes {
  /** The first byte that a program may touch: a tracepoint's first 8 are the kernel's. */
  readonly first: number;
  readonly writable: boolean;
}

/**
 * The context of a program type: `struct xdp_md`, `struct __sk_buff` and so on, laid out as in include/uapi/linux/bpf.h.
 * It lies in the engine's memory as it is: addresses there have 32 bits, so `data` and `data_end` need no translation.
 */
export interface ContextLayout {
  readonly programType: ProgramType;
  /** `struct xdp_md`. */
  readonly name: string;
  /** Bytes; with {@link ContextLayout.bytes}, the most that there may be. */
  readonly size: number;
  /** By offset; what is in none of them may not be touched. */
  readonly fields: readonly ContextField[];
  /** Set where there are no fields: any aligned access within what a run was given. */
  readonly bytes: ContextBytes | undefined;
  readonly packet: PacketFields | undefined;
}

/**
 * Whether a program may read or write `size` bytes (1, 2, 4 or 8) at an offset, by the rules of the kernel's
 * `*_is_valid_access` (net/core/filter.c). What a field holds is not its matter.
 */
export function mayTouchContext(layout: ContextLayout, offset: number, size: number, write: boolean): boolean {
  if (offset < 0 || offset % size !== 0 || offset + size > layout.size) return false;
  if (layout.bytes !== undefined) return offset >= layout.bytes.first && (layout.bytes.writable || !write);
  for (const field of layout.fields) {
    const end = field.offset + field.size * field.count;
    if (offset < field.offset || offset >= end) continue;
    const least = write ? field.write : field.read;
    if (least === 0) return false;
    if (size > field.size) {
      if (field.padded && !write) return offset === field.offset && size === 2 * field.size;
      return field.wide && offset + size <= end;
    }
    return size >= least && !(field.startOnly && (offset - field.offset) % field.size !== 0);
  }
  return false;
}
