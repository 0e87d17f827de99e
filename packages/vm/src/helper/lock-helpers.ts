// SPDX-License-Identifier: Apache-2.0

import { giveLock, takeLock } from "../map/value-lock.ts";
import type { VmMemory } from "../memory/vm-memory.ts";
import type { RunState } from "../run/run-state.ts";
import { accessFault, VmFault } from "../vm-fault.ts";
import type { Helper, HelperFrame } from "./helper.ts";

/** Bytes of `struct bpf_spin_lock`. */
const LOCK_BYTES = 4;

/**
 * `bpf_spin_lock` and `bpf_spin_unlock`, on the engine's memory. A run holds one lock at most, as the kernel's verifier has it:
 * a second is a fault, so that no two runs wait for each other; and so is one that does not open, for a program has closed it by
 * a plain store.
 */
export function lockHelpers(memory: VmMemory): Helper[] {
  const words = new Int32Array(memory.wasm.buffer);

  const lock = ({ state }: HelperFrame, address: number): void => {
    const at = hex(address);
    if (state.lock !== 0) {
      throw new VmFault("helper", `took the lock at ${at} while it holds the one at ${hex(state.lock)}`, { address });
    }
    if (!takeLock(words, lockIndex(memory, address), state.cpu)) {
      throw new VmFault("helper", `waited for the lock at ${at}, which nobody opens`, { address });
    }
    state.lock = address;
  };

  const unlock = ({ state }: HelperFrame, address: number): void => {
    if (state.lock !== address) {
      throw new VmFault("helper", `opened the lock at ${hex(address)}, which it does not hold`, { address });
    }
    giveLock(words, lockIndex(memory, address));
    state.lock = 0;
  };

  return [
    { id: 93, name: "spin_lock", parameters: ["address"], result: "void", call: lock },
    { id: 94, name: "spin_unlock", parameters: ["address"], result: "void", call: unlock },
  ];
}

/**
 * Opens the lock that a run left closed when it ended, so that no later run waits for it. Returns whether there was one. For
 * the engine, after each run whose state has a `lock`.
 */
export function releaseLock(memory: VmMemory, state: RunState): boolean {
  const address = state.lock;
  if (address === 0) return false;
  giveLock(new Int32Array(memory.wasm.buffer), memory.index(address) >>> 2);
  state.lock = 0;
  return true;
}

/** Index among 32-bit words. */
function lockIndex(memory: VmMemory, address: number): number {
  if (!memory.mayAccess(address, LOCK_BYTES, "write")) throw accessFault(memory, "write", address, LOCK_BYTES);
  if (address % LOCK_BYTES !== 0) {
    throw new VmFault("alignment", `a lock at ${hex(address)}, which is no multiple of ${LOCK_BYTES}`, { address });
  }
  return memory.index(address) >>> 2;
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
