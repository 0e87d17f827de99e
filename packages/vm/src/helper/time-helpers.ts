// SPDX-License-Identifier: Apache-2.0

import type { Helper } from "./helper.ts";

/** The engine's clock. */
export interface VmClock {
  /** Nanoseconds since some moment, never less than before. */
  now(): number;
  /** Nanoseconds to add to get the time since 1970. */
  readonly offset: bigint;
}

/** The clock of the platform (`performance`), which begins with the process or the page. */
export const platformClock: VmClock = {
  now: () => performance.now() * 1e6,
  get offset() {
    return BigInt(Math.round(performance.timeOrigin * 1e6));
  },
};

/** Ticks a second of `bpf_jiffies64`, as Debian's kernels have them (CONFIG_HZ). */
const HZ = 250;
/** The kernel counts from five minutes before 2^32, so that an overflow shows early (INITIAL_JIFFIES). */
const INITIAL_JIFFIES = 2 ** 32 - 300 * HZ;

/**
 * `bpf_ktime_get_*_ns` and `bpf_jiffies64`. Nothing is suspended here, so that boot time is monotonic time; the coarse clock is
 * as fine as the other; international atomic time is wall-clock time, as in a kernel that nobody told of leap seconds.
 */
export function timeHelpers(clock: VmClock): Helper[] {
  const now = () => clock.now();
  return [
    { id: 5, name: "ktime_get_ns", parameters: [], result: "u64", call: now },
    { id: 125, name: "ktime_get_boot_ns", parameters: [], result: "u64", call: now },
    { id: 160, name: "ktime_get_coarse_ns", parameters: [], result: "u64", call: now },
    {
      id: 208,
      name: "ktime_get_tai_ns",
      parameters: [],
      result: "bigint",
      call: () => BigInt(Math.floor(clock.now())) + clock.offset,
    },
    {
      id: 118,
      name: "jiffies64",
      parameters: [],
      result: "u64",
      call: () => INITIAL_JIFFIES + Math.floor((clock.now() * HZ) / 1e9),
    },
  ];
}
