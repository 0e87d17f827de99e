// SPDX-License-Identifier: Apache-2.0

import type { VmMap } from "../map/vm-map.ts";
import type { VmMemory } from "../memory/vm-memory.ts";
import { accessFault } from "../vm-fault.ts";
import { Errno } from "./errno.ts";
import type { Helper, HelperFrame } from "./helper.ts";
import type { RuntimeCalls } from "./runtime-calls.ts";

const LOOKUP = 1;
const UPDATE = 2;
const DELETE = 3;
const BPF_NOEXIST = 1;
/** BPF_LOCAL_STORAGE_GET_F_CREATE, the only flag. */
const CREATE = 1;

/**
 * `bpf_sk_storage_*`, `bpf_task_storage_*` and `bpf_cgrp_storage_*`: a value for each socket, task or cgroup. Their maps are hash
 * maps here, whose keys of 4 bytes are the owners' addresses.
 */
export function storageHelpers(memory: VmMemory, calls: RuntimeCalls): Helper[] {
  const key = memory.allocate(8);
  let zeros: { readonly address: number; readonly size: number } | undefined;

  /** Where as many zeros lie, for a value that a program gives none for. */
  const zerosOf = (size: number): number => {
    if (zeros === undefined || zeros.size < size) {
      if (zeros !== undefined) memory.free(zeros.address);
      zeros = { address: memory.allocate(size), size };
    }
    return zeros.address;
  };

  const setKey = (owner: number) => memory.view.setUint32(memory.index(key), owner, true);

  const get = (_frame: HelperFrame, map: VmMap, owner: number, value: number, flags: number): number => {
    if (!isOwner(owner) || flags > CREATE) return 0;
    setKey(owner);
    const found = calls.map(map, LOOKUP, key);
    if (found !== 0 || flags !== CREATE) return found;
    const { valueSize } = map.spec;
    if (value !== 0 && !memory.mayAccess(value, valueSize, "read")) throw accessFault(memory, "read", value, valueSize);
    const failed = calls.map(map, UPDATE, key, value === 0 ? zerosOf(valueSize) : value, BPF_NOEXIST);
    return failed === 0 ? calls.map(map, LOOKUP, key) : 0;
  };

  const remove = (_frame: HelperFrame, map: VmMap, owner: number): number => {
    if (!isOwner(owner)) return -Errno.EINVAL;
    setKey(owner);
    return calls.map(map, DELETE, key) | 0;
  };

  return (
    [
      ["sk_storage", 107, 108],
      ["task_storage", 156, 157],
      ["cgrp_storage", 210, 211],
    ] as const
  ).flatMap(([name, getId, deleteId]): Helper[] => [
    { id: getId, name: `${name}_get`, parameters: ["map", "address", "address", "u64"], result: "address", call: get },
    { id: deleteId, name: `${name}_delete`, parameters: ["map", "address"], result: "i32", call: remove },
  ]);
}

/** A pointer that can be one's: addresses have 32 bits. */
function isOwner(address: number): boolean {
  return address !== 0 && address < 2 ** 32;
}
