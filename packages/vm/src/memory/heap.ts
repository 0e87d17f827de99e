// SPDX-License-Identifier: Apache-2.0

/** Hands out ranges of addresses: first fit over a sorted list of what is free. For maps and buffers, not for a hot path. */
export class Heap {
  /** Free ranges by address, none touching the next. */
  readonly #free: { address: number; size: number }[];
  readonly #sizes = new Map<number, number>();
  /** Bytes that there are. */
  readonly size: number;
  #used = 0;

  constructor(base: number, size: number) {
    this.size = size;
    this.#free = [{ address: base, size }];
  }

  /** Bytes handed out. */
  get used(): number {
    return this.#used;
  }

  /** An address that is a multiple of `alignment` (a power of two, 8 at least); undefined when nothing fits. */
  allocate(size: number, alignment: number): number | undefined {
    const wanted = Math.max(8, Math.ceil(size / 8) * 8);
    for (const [i, range] of this.#free.entries()) {
      const address = Math.ceil(range.address / alignment) * alignment;
      const before = address - range.address;
      const after = range.size - before - wanted;
      if (after < 0) continue;
      this.#free.splice(
        i,
        1,
        ...[
          { address: range.address, size: before },
          { address: address + wanted, size: after },
        ].filter((part) => part.size > 0),
      );
      this.#sizes.set(address, wanted);
      this.#used += wanted;
      return address;
    }
    return undefined;
  }

  /** Takes a range back and returns its size. */
  free(address: number): number {
    const size = this.#sizes.get(address);
    if (size === undefined) throw new Error(`0x${address.toString(16)} was not allocated`);
    this.#sizes.delete(address);
    this.#used -= size;
    const next = this.#free.findIndex((range) => range.address > address);
    const at = next === -1 ? this.#free.length : next;
    const before = this.#free[at - 1];
    const after = this.#free[at];
    const joinsBefore = before !== undefined && before.address + before.size === address;
    const joinsAfter = after !== undefined && address + size === after.address;
    const start = joinsBefore ? before.address : address;
    const end = joinsAfter ? after.address + after.size : address + size;
    this.#free.splice(at - (joinsBefore ? 1 : 0), (joinsBefore ? 1 : 0) + (joinsAfter ? 1 : 0), {
      address: start,
      size: end - start,
    });
    return size;
  }
}
