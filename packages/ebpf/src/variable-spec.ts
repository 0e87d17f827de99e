// SPDX-License-Identifier: Apache-2.0

/** A global variable of an object file. */
export interface VariableSpec {
  readonly name: string;
  /** The map made from its section. */
  readonly map: string;
  /** Byte offset in the section. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  /** BTF type id; 0 when the object describes none. */
  readonly typeId: number;
  /** Whether it cannot change once loaded (`.rodata`). */
  readonly readOnly: boolean;
  /** Set when the kernel's configuration gives the value (`__kconfig`): whether the object can do without (`__weak`). */
  readonly extern?: "strong" | "weak";
}
