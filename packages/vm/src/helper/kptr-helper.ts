// SPDX-License-Identifier: Apache-2.0

import type { VmMemory } from "../memory/vm-memory.ts";
import { accessFault, VmFault } from "../vm-fault.ts";
import type { Helper } from "./helper.ts";

/** `bpf_kptr_xchg`: puts a pointer into a map's value and takes out the one that was there, in one step. */
export function kptrHelper(memory: VmMemory): Helper {
  const words = new BigUint64Array(memory.wasm.buffer);
  return {
    id: 194,
    name: "kptr_xchg",
    parameters: ["address", "bigint"],
    result: "bigint",
    call: (_frame, address: number, pointer: bigint) => {
      if (!memory.mayAccess(address, 8, "write")) throw accessFault(memory, "write", address, 8);
      if (address % 8 !== 0) {
        throw new VmFault("alignment", `a pointer at 0x${address.toString(16)}, which is no multiple of 8`, {
          address,
        });
      }
      return Atomics.exchange(words, memory.index(address) >>> 3, pointer);
    },
  };
}
