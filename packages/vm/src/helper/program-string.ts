// SPDX-License-Identifier: Apache-2.0

import type { VmMemory } from "../memory/vm-memory.ts";

/** Regions have a state for each 8 bytes. */
const GRANULE = 8;

/**
 * Bytes before the NUL of a string that a program points at, `limit` when there is none among so many; -1 when it meets
 * with memory that the program may not read before.
 */
export function stringLength(memory: VmMemory, address: number, limit: number): number {
  const start = memory.index(address);
  for (let done = 0; done < limit; ) {
    const at = start + done;
    const step = readableStep(memory, address + done, Math.min(GRANULE - (at % GRANULE), limit - done));
    if (step === 0) return -1;
    for (let i = at; i < at + step; i++) if (memory.bytes[i] === 0) return i - start;
    done += step;
  }
  return limit;
}

/** How many of the next bytes a program may read: all, or those before the first that it may not. */
function readableStep(memory: VmMemory, address: number, length: number): number {
  if (memory.mayAccess(address, length, "read")) return length;
  let count = 0;
  while (count < length && memory.mayAccess(address + count, 1, "read")) count++;
  return count;
}
