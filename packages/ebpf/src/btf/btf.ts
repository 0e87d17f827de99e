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
  /**
   * Ids of the types with exactly this name, in ascending order: those of the kind (`BtfKind`), or of any kind up to ENUM64.
   * Ask for a kind where it is known: half of a kernel's types are functions, and what is no function is found without
   * looking at them.
   */
  idsByName(name: string, kind?: number): readonly number[];
  /**
   * Ids of the types whose name without a `___flavour` suffix is this, in ascending order. Functions are not among them: CO-RE
   * has no flavours of those.
   */
  idsByEssentialName(name: string): readonly number[];
  /** The NUL-terminated string at an offset of the string table. */
  string(offset: number): string;
  /** Bytes that a value of the type takes. Throws MalformedError for functions, `void` and endless types. */
  sizeOf(id: number): number;
  /** Id of the type behind typedefs, const, volatile, restrict and type tags. */
  resolve(id: number): number;
}
