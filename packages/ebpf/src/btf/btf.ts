// SPDX-License-Identifier: Apache-2.0

import type { BtfType } from "./types.ts";

/**
 * Types in the BPF Type Format (Documentation/bpf/btf.rst). Types are decoded when asked for, and kept.
 */
export interface Btf {
  /** The bytes that it was read from. */
  readonly bytes: Uint8Array;
  readonly byteOrder: "little" | "big";
  /** Number of types, `void` (id 0) included. */
  readonly typeCount: number;
  /** The type with this id. Throws MalformedError for an id that is not in the table. */
  typeById(id: number): BtfType;
  /** Ids of the types with exactly this name, of any kind up to ENUM64, in ascending order. */
  idsByName(name: string): readonly number[];
  /** Ids of the types whose name without a `___flavour` suffix is this, in ascending order. */
  idsByEssentialName(name: string): readonly number[];
  /** The NUL-terminated string at an offset of the string table. */
  string(offset: number): string;
  /** Bytes that a value of the type takes. Throws MalformedError for functions, `void` and endless types. */
  sizeOf(id: number): number;
  /** Id of the type behind typedefs, const, volatile, restrict and type tags. */
  resolve(id: number): number;
}
