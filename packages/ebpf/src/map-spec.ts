// SPDX-License-Identifier: Apache-2.0

import type { MapType } from "./map-type.ts";
import type { StructOpsSpec } from "./struct-ops-spec.ts";

/** A map as an object file declares it. Plain data: change it before loading. */
export interface MapSpec {
  /** As the program calls it; the kernel keeps the first 15 characters. */
  readonly name: string;
  type: MapType;
  /** Bytes; 0 for ring buffers. */
  keySize: number;
  /** Bytes; 0 for ring buffers. */
  valueSize: number;
  /** Entries, or bytes for a ring buffer. */
  maxEntries: number;
  /** `BPF_F_*` of BPF_MAP_CREATE. */
  flags: number;
  /** `map_extra`. */
  extra: bigint;
  /** `by-name` when the object asks for LIBBPF_PIN_BY_NAME: made or reused in the directory that `load` is given. */
  pinning: "none" | "by-name";
  /** Where it is pinned: opened there when something is, or else made and pinned there. `load` sets it. */
  pinPath?: string;
  /** BTF type id of the key in the object's BTF; 0 when it has none. */
  readonly keyTypeId: number;
  /**
   * BTF type id of the value; 0 when it has none. A ring buffer or perf event array may declare one with
   * `__type(value, struct event)`: it describes the records, and the kernel never sees it.
   */
  readonly valueTypeId: number;
  /** For maps of maps: what those that it holds are like. */
  readonly inner?: MapSpec;
  /** What a map of maps or an array of programs holds from the start (`.values` in C). */
  readonly contents?: readonly MapContent[];
  /** For a map made from a data section: the section's name and bytes. Key 0 holds all of it; an arena begins with it. */
  readonly data?: MapData;
  /** For a map of type struct_ops: the struct that it hands to the kernel. */
  readonly structOps?: StructOpsSpec;
}

/** An element of `.values`. */
export interface MapContent {
  /** The key: the index in the C initialiser. */
  readonly index: number;
  readonly kind: "map" | "program";
  /** Name of a map or a program of the same object. */
  readonly name: string;
}

/** What a data section (`.rodata`, `.data`, `.bss` and their suffixed forms) becomes. */
export interface MapData {
  readonly section: string;
  /** Initial contents; variables are written here before the load. */
  readonly contents: Uint8Array;
  /** Whether programs and user space only read it once loaded (`.rodata`): it is frozen. */
  readonly readOnly: boolean;
}
