// SPDX-License-Identifier: Apache-2.0

import type { VmMemory } from "../memory/vm-memory.ts";
import { accessFault } from "../vm-fault.ts";
import { Errno } from "./errno.ts";

/** Bytes of `struct bpf_dynptr`. */
export const DYNPTR_BYTES = 16;
/** The largest size: the upper 8 of 32 bits say what kind it is. */
const MAX_SIZE = 2 ** 24 - 1;
const KIND_SHIFT = 28;
const READ_ONLY_BIT = 2 ** 31;

/** `enum bpf_dynptr_type`, as far as memory goes. */
export const DynptrKind = { LOCAL: 1, RING_BUFFER: 2 } as const;

/**
 * A `struct bpf_dynptr` that lies where a program wants it, laid out as the kernel does: the address of its memory (8 bytes),
 * a word with the size, the kind from bit 28 on and bit 31 when it is read-only, and the offset. The address is 0 when it leads
 * nowhere. Nothing keeps a program from writing one itself, so what it leads to is checked whenever it is used.
 */
export class Dynptr {
  readonly #view: DataView;

  /** `bytes` are its 16. */
  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, DYNPTR_BYTES);
  }

  /** Whether so many bytes can be one's memory: 0 or -E2BIG. */
  static sizeProblem(size: number): number {
    return size > MAX_SIZE ? -Errno.E2BIG : 0;
  }

  /** Of its memory; an address beyond 2^53 is no longer exact, and leads nowhere either way. */
  get address(): number {
    return Number(this.#view.getBigUint64(0, true));
  }

  get size(): number {
    return this.#view.getUint32(8, true) & MAX_SIZE;
  }

  get kind(): number {
    return (this.#view.getUint32(8, true) & ~READ_ONLY_BIT) >>> KIND_SHIFT;
  }

  get readOnly(): boolean {
    return this.#view.getInt32(8, true) < 0;
  }

  set(address: number, size: number, kind: number): void {
    this.#view.setBigUint64(0, BigInt(address), true);
    this.#view.setUint32(8, size | (kind << KIND_SHIFT), true);
    this.#view.setUint32(12, 0, true);
  }

  clear(): void {
    this.#view.setBigUint64(0, 0n, true);
    this.#view.setBigUint64(8, 0n, true);
  }

  /**
   * The address of `length` bytes from `offset` on, or -E2BIG when they are not within it. Throws VmFault when the program may
   * not touch them.
   */
  locate(memory: VmMemory, offset: number, length: number, access: "read" | "write"): number {
    const { size } = this;
    if (length > size || offset > size - length) return -Errno.E2BIG;
    const at = this.address + this.#view.getUint32(12, true) + offset;
    if (!memory.mayAccess(at, length, access)) throw accessFault(memory, access, at, length);
    return at;
  }
}
