// SPDX-License-Identifier: Apache-2.0

import { Errno } from "./errno.ts";
import type { Helper, HelperFrame } from "./helper.ts";

/** BPF_MAX_LOOPS. */
const MAX_LOOPS = 1 << 23;

/** `bpf_loop`, and what a program asks about the run that it is in. */
export function runHelpers(): Helper[] {
  return [
    {
      id: 173,
      name: "get_func_ip",
      parameters: ["context"],
      result: "address",
      call: (frame) => frame.functionAddress,
    },
    {
      id: 174,
      name: "get_attach_cookie",
      parameters: ["context"],
      result: "bigint",
      call: (frame) => frame.attachCookie,
    },
    { id: 181, name: "loop", parameters: ["u32", "callback", "address", "u64"], result: "i64", call: loop },
  ];
}

/** Calls the callback with the index and the context until it returns what is not 0; returns how often it was called. */
function loop(frame: HelperFrame, count: number, callback: number, context: number, flags: number): number {
  if (flags !== 0) return -Errno.EINVAL;
  // The verifier puts the loop in the call's place, and moves the error into the lower half of r0.
  if (count > MAX_LOOPS) return -Errno.E2BIG >>> 0;
  for (let i = 0; i < count; i++) {
    if (frame.call(callback, i, context) !== 0) return i + 1;
  }
  return count;
}
