// SPDX-License-Identifier: Apache-2.0

const MOST_SPINS = 1 << 24;

/**
 * Takes a `struct bpf_spin_lock`, the word of this index, which then holds the worker's number + 1. False when this worker
 * holds it already, or nobody gives it back.
 */
export function takeLock(words: Int32Array, index: number, cpu: number): boolean {
  for (let spins = 0; spins < MOST_SPINS; spins++) {
    const holder = Atomics.compareExchange(words, index, 0, cpu + 1);
    if (holder === 0) return true;
    if (holder === cpu + 1) return false;
  }
  return false;
}

/** Gives it back. */
export function giveLock(words: Int32Array, index: number): void {
  Atomics.store(words, index, 0);
}
