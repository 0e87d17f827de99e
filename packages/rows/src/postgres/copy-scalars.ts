// SPDX-License-Identifier: Apache-2.0

import { wholeMicroseconds } from "../cells/time-text.ts";

/** 2000-01-01, where PostgreSQL's clock starts, in microseconds since 1970. */
const POSTGRES_EPOCH = 946_684_800_000_000;

const TWO_32 = 2 ** 32;

/** Base of numeric's digits. */
const NUMERIC_BASE = 10_000;

/** Length of every numeric that {@link writeNumeric} writes: four 16-bit fields and five digits. */
export const NUMERIC_BYTES = 18;

/** Writes microseconds since 1970 as a timestamptz: 64-bit microseconds since 2000. */
export function writeTimestamp(view: DataView, at: number, time: number): void {
  // By halves: the difference of the whole numbers may need more than the 53 bits that a double has.
  const micros = wholeMicroseconds(time);
  let high = Math.floor(micros / TWO_32) - Math.floor(POSTGRES_EPOCH / TWO_32);
  let low = micros - Math.floor(micros / TWO_32) * TWO_32 - (POSTGRES_EPOCH % TWO_32);
  if (low < 0) {
    low += TWO_32;
    high--;
  }
  view.setInt32(at, high);
  view.setUint32(at + 4, low);
}

/**
 * Writes a u64, given by its halves, as a numeric: always with five digits of base 10,000; PostgreSQL strips the
 * leading zeros when it reads them. Divides by halves, so that every intermediate value is an exact number.
 */
export function writeNumeric(view: DataView, at: number, high: number, low: number): void {
  view.setInt16(at, 5);
  view.setInt16(at + 2, 4);
  view.setInt32(at + 4, 0);
  let restHigh = high;
  let restLow = low;
  for (let digit = 4; digit >= 0; digit--) {
    const quotient = Math.floor(restHigh / NUMERIC_BASE);
    const dividend = (restHigh - quotient * NUMERIC_BASE) * TWO_32 + restLow;
    const next = Math.floor(dividend / NUMERIC_BASE);
    view.setInt16(at + 8 + 2 * digit, dividend - next * NUMERIC_BASE);
    restHigh = quotient;
    restLow = next;
  }
}
