// SPDX-License-Identifier: Apache-2.0

import { Errno } from "./errno.ts";
import type { Helper, HelperFrame, HelperParameter } from "./helper.ts";
import { stringLength } from "./program-string.ts";

/** `(void *target, u32 size, const void *from)`: what is read from may be anything. */
const PARAMETERS: readonly HelperParameter[] = [{ writeSized: 1 }, "u32", "address"];

/**
 * `bpf_probe_read*`, `bpf_copy_from_user` and `bpf_probe_write_user`. There is one memory, the engine's, for what the kernel
 * calls its own and for what it calls the user's: what the program may touch there is read, and -EFAULT is the answer
 * elsewhere, with the target zeroed.
 */
export function readHelpers(): Helper[] {
  return [
    ...[
      [4, "probe_read"],
      [112, "probe_read_user"],
      [113, "probe_read_kernel"],
      [148, "copy_from_user"],
    ].map(([id, name]) => ({ id, name, parameters: PARAMETERS, result: "i32", call: read }) as Helper),
    ...[
      [45, "probe_read_str"],
      [114, "probe_read_user_str"],
      [115, "probe_read_kernel_str"],
    ].map(([id, name]) => ({ id, name, parameters: PARAMETERS, result: "i32", call: readString }) as Helper),
    {
      id: 36,
      name: "probe_write_user",
      parameters: ["address", { readSized: 2 }, "u32"],
      result: "i32",
      call: ({ memory }, target: number, source: Uint8Array) => {
        if (!memory.mayAccess(target, source.length, "write")) return -Errno.EFAULT;
        memory.slice(target, source.length).set(source);
        return 0;
      },
    },
  ];
}

function read({ memory }: HelperFrame, target: Uint8Array, size: number, from: number): number {
  if (!memory.mayAccess(from, size, "read")) {
    target.fill(0);
    return -Errno.EFAULT;
  }
  const source = memory.index(from);
  memory.bytes.copyWithin(target.byteOffset, source, source + size);
  return 0;
}

/** Returns the bytes written with the NUL, which comes last whatever the string's length. */
function readString({ memory }: HelperFrame, target: Uint8Array, size: number, from: number): number {
  if (size === 0) return 0;
  const length = stringLength(memory, from, size);
  if (length === -1) {
    target.fill(0);
    return -Errno.EFAULT;
  }
  const copied = Math.min(length, size - 1);
  const source = memory.index(from);
  memory.bytes.copyWithin(target.byteOffset, source, source + copied);
  target[copied] = 0;
  return copied + 1;
}
