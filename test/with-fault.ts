// SPDX-License-Identifier: Apache-2.0

import { type Ffi, ffi } from "../packages/linux/src/ffi.ts";
import { systemCallNumber } from "../packages/linux/src/system-call.ts";

/** Calls that take effect all the same: what they give back would be lost by the test, not by the code under test. */
const alwaysMade: ReadonlySet<number> = new Set([systemCallNumber("close"), systemCallNumber("munmap")]);

/**
 * Runs `work` with the `position`-th of its system calls (from 0) failing with `errno`, and returns how many it made. What
 * `work` throws comes through.
 */
export function withFault(position: number, errno: number, work: () => void): number {
  // The one place that all calls pass.
  const real = ffi() as { -readonly [K in keyof Ffi]: Ffi[K] };
  const { bpf, syscall, errno: realErrno } = real;
  let calls = 0;
  let failed = false;
  const fails = (): boolean => {
    failed = calls++ === position;
    return failed;
  };
  real.bpf = (...values) => (fails() ? -1 : bpf(...values));
  real.syscall = (number, ...values) => {
    if (!fails()) return syscall(number, ...values);
    if (alwaysMade.has(number)) syscall(number, ...values);
    return -1;
  };
  real.errno = () => (failed ? errno : realErrno());
  try {
    work();
  } finally {
    Object.assign(real, { bpf, syscall, errno: realErrno });
  }
  return calls;
}
