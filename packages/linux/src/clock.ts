// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer } from "./attr-buffer.ts";
import { systemCall } from "./system-call.ts";

const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const attempts = 5;

let timespec: AttrBuffer | undefined;

/** Nanoseconds of CLOCK_MONOTONIC, the clock of bpf_ktime_get_ns(). It stands still while the machine sleeps. */
export function monotonicTime(): bigint {
  return readClock(CLOCK_MONOTONIC);
}

/**
 * Nanoseconds to add to CLOCK_MONOTONIC to get CLOCK_REALTIME: the wall clock is read between two readings of
 * the other, and the closest of five such triples is taken. The result changes when the wall clock is set.
 */
export function clockOffset(): bigint {
  let best = 0n;
  let narrowest: bigint | undefined;
  for (let i = 0; i < attempts; i++) {
    const before = readClock(CLOCK_MONOTONIC);
    const wall = readClock(CLOCK_REALTIME);
    const after = readClock(CLOCK_MONOTONIC);
    if (narrowest !== undefined && after - before >= narrowest) continue;
    narrowest = after - before;
    best = wall - (before + after) / 2n;
  }
  return best;
}

function readClock(clock: number): bigint {
  timespec ??= new AttrBuffer(16);
  systemCall("clock_gettime", "clock", clock, timespec.address);
  return timespec.getBigint(0) * 1_000_000_000n + timespec.getBigint(8);
}
