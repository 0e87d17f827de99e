// SPDX-License-Identifier: Apache-2.0

/** What a register holds, as far as the verifier must agree. */
export type Content =
  | { readonly kind: "scalar" }
  /**
   * Memory that may be read and written: `room` bytes from here on, `before` before. `computed` when the verifier does not
   * know where.
   */
  | {
      readonly kind: "memory";
      readonly of: MemoryKind;
      readonly before: number;
      readonly room: number;
      readonly computed?: true;
    };

/**
 * `stack` takes aligned accesses alone; `hash` lasts until the map changes, `packet` until the packet does, and takes no
 * atomic operations.
 */
export type MemoryKind = "stack" | "value" | "hash" | "packet";

export const SCALAR: Content = { kind: "scalar" };

/** What r0 to r9 hold; undefined: nothing that may be read. */
export type Registers = (Content | undefined)[];

/** What is true of a register wherever control came from. */
export function meet(a: Registers, b: Registers): Registers {
  return a.map((content, i) => (same(content, b[i]) ? content : undefined));
}

function same(a: Content | undefined, b: Content | undefined): boolean {
  if (a === b) return true;
  if (a?.kind !== "memory" || b?.kind !== "memory") return false;
  return a.of === b.of && a.before === b.before && a.room === b.room && a.computed === b.computed;
}
