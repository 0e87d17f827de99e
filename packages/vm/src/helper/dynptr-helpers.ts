// SPDX-License-Identifier: Apache-2.0

import type { VmMap } from "../map/vm-map.ts";
import { VmFault } from "../vm-fault.ts";
import { DYNPTR_BYTES, Dynptr, DynptrKind } from "./dynptr.ts";
import { Errno } from "./errno.ts";
import type { Helper, HelperFrame } from "./helper.ts";
import type { RuntimeCalls } from "./runtime-calls.ts";

const RINGBUF_RESERVE = 131;
const RINGBUF_SUBMIT = 132;
const RINGBUF_DISCARD = 133;

/** `bpf_dynptr_*` over memory, and over records of ring buffers. */
export function dynptrHelpers(calls: RuntimeCalls): Helper[] {
  return [
    {
      id: 197,
      name: "dynptr_from_mem",
      parameters: ["address", "u32", "u64", { write: DYNPTR_BYTES }],
      result: "i32",
      call: (_frame, address: number, size: number, flags: number, target: Uint8Array) => {
        const dynptr = new Dynptr(target);
        const problem = Dynptr.sizeProblem(size) || (flags === 0 ? 0 : -Errno.EINVAL);
        if (problem === 0) dynptr.set(address, size, DynptrKind.LOCAL);
        else dynptr.clear();
        return problem;
      },
    },
    {
      id: 201,
      name: "dynptr_read",
      parameters: [{ writeSized: 1 }, "u32", { read: DYNPTR_BYTES }, "u32", "u64"],
      result: "i32",
      call: ({ memory }, target: Uint8Array, length: number, source: Uint8Array, offset: number, flags: number) => {
        const dynptr = new Dynptr(source);
        if (dynptr.address === 0 || flags !== 0) return -Errno.EINVAL;
        const from = dynptr.locate(memory, offset, length, "read");
        if (from < 0) return from;
        if (!leadsToMemory(dynptr)) return -Errno.EFAULT;
        memory.bytes.copyWithin(target.byteOffset, memory.index(from), memory.index(from) + length);
        return 0;
      },
    },
    {
      id: 202,
      name: "dynptr_write",
      parameters: [{ read: DYNPTR_BYTES }, "u32", { readSized: 3 }, "u32", "u64"],
      result: "i32",
      call: ({ memory }, target: Uint8Array, offset: number, source: Uint8Array, length: number, flags: number) => {
        const dynptr = new Dynptr(target);
        if (dynptr.address === 0 || dynptr.readOnly) return -Errno.EINVAL;
        const to = dynptr.locate(memory, offset, length, "write");
        if (to < 0) return to;
        if (!leadsToMemory(dynptr)) return -Errno.EFAULT;
        if (flags !== 0) return -Errno.EINVAL;
        memory.bytes.copyWithin(memory.index(to), source.byteOffset, source.byteOffset + length);
        return 0;
      },
    },
    {
      id: 203,
      name: "dynptr_data",
      parameters: [{ read: DYNPTR_BYTES }, "u32", "u32"],
      result: "address",
      call: ({ memory }, source: Uint8Array, offset: number, length: number) => {
        const dynptr = new Dynptr(source);
        if (dynptr.address === 0) return 0;
        const at = dynptr.locate(memory, offset, length, "read");
        return at < 0 || dynptr.readOnly || !leadsToMemory(dynptr) ? 0 : at;
      },
    },
    {
      id: 198,
      name: "ringbuf_reserve_dynptr",
      parameters: ["map", "u32", "u64", { write: DYNPTR_BYTES }],
      result: "i32",
      call: (_frame, map: VmMap, size: number, flags: number, target: Uint8Array) => {
        const dynptr = new Dynptr(target);
        const problem = flags !== 0 ? -Errno.EINVAL : Dynptr.sizeProblem(size);
        const record = problem === 0 ? calls.map(map, RINGBUF_RESERVE, size, 0) : 0;
        if (record === 0) {
          dynptr.clear();
          return problem || -Errno.EINVAL;
        }
        dynptr.set(record, size, DynptrKind.RING_BUFFER);
        return 0;
      },
    },
    release(199, "ringbuf_submit_dynptr", (record, flags) => calls.helper(RINGBUF_SUBMIT, record, flags)),
    release(200, "ringbuf_discard_dynptr", (record, flags) => calls.helper(RINGBUF_DISCARD, record, flags)),
  ];
}

/** One that leads nowhere, for a reservation failed, may be released too. */
function release(id: number, name: string, take: (record: number, flags: number) => void): Helper {
  return {
    id,
    name,
    parameters: [{ write: DYNPTR_BYTES }, "u64"],
    result: "void",
    call: (_frame: HelperFrame, target: Uint8Array, flags: number) => {
      const dynptr = new Dynptr(target);
      if (dynptr.address === 0) return;
      if (dynptr.kind !== DynptrKind.RING_BUFFER) {
        throw new VmFault("helper", `bpf_${name} was given a dynptr that holds no record of a ring buffer`);
      }
      take(dynptr.address, flags);
      dynptr.clear();
    },
  };
}

function leadsToMemory({ kind }: Dynptr): boolean {
  return kind === DynptrKind.LOCAL || kind === DynptrKind.RING_BUFFER;
}
