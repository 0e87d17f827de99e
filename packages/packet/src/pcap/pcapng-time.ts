// SPDX-License-Identifier: Apache-2.0

/** How an interface of a pcapng file counts time: `units` a second, from `offset` seconds after 1970. */
export interface PcapngClock {
  readonly units: bigint;
  readonly offset: number;
}

/** Microseconds since 1970, which is what an interface without options means. */
export const DEFAULT_CLOCK: PcapngClock = { units: 1_000_000n, offset: 0 };

/** Units a second of an `if_tsresol` octet: a power of 10, or with the highest bit of 2 (draft-ietf-opsawg-pcapng 4.2). */
export function unitsOf(resolution: number): bigint {
  const exponent = BigInt(resolution & 0x7f);
  return resolution & 0x80 ? 2n ** exponent : 10n ** exponent;
}

/** Seconds since 1970 and nanoseconds, rounded down, of a time stamp's two halves. */
export function pcapngTime(
  clock: PcapngClock,
  high: number,
  low: number,
): { readonly seconds: number; readonly nanoseconds: number } {
  const units = Number(clock.units);
  const nanosecondsEach = 1e9 / units;
  if (!Number.isInteger(nanosecondsEach)) return preciseTime(clock, high, low);
  // Long division by 16 bits: 64 bits do not fit a double, a remainder below 10^9 and 16 more bits do.
  let seconds = 0;
  let rest = 0;
  for (const digit of [high >>> 16, high & 0xffff, low >>> 16, low & 0xffff]) {
    const value = rest * 0x10000 + digit;
    seconds = seconds * 0x10000 + Math.floor(value / units);
    rest = value % units;
  }
  return { seconds: seconds + clock.offset, nanoseconds: rest * nanosecondsEach };
}

/** For clocks that count no whole nanoseconds, such as one of picoseconds. */
function preciseTime(clock: PcapngClock, high: number, low: number): { seconds: number; nanoseconds: number } {
  const stamp = (BigInt(high) << 32n) | BigInt(low);
  return {
    seconds: Number(stamp / clock.units) + clock.offset,
    nanoseconds: Number(((stamp % clock.units) * 1_000_000_000n) / clock.units),
  };
}
