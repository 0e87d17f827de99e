// SPDX-License-Identifier: Apache-2.0

import { EncodeProblem, show } from "./encode-problem.ts";

/** A range of integers with the name that messages give it. */
export interface IntegerRange {
  /** Such as `u8`, `s64` or `a 3-bit field`. */
  readonly name: string;
  readonly min: bigint;
  readonly max: bigint;
}

/** The range of a two's complement integer of so many bits. */
export function integerRange(bits: number, signed: boolean, name = `${signed ? "s" : "u"}${bits}`): IntegerRange {
  const span = 1n << BigInt(bits);
  return signed ? { name, min: -span / 2n, max: span / 2n - 1n } : { name, min: 0n, max: span - 1n };
}

/** Takes a number or bigint that lies in the range, as a bigint. */
export function toInteger(value: unknown, range: IntegerRange): bigint {
  let integer: bigint;
  if (typeof value === "bigint") {
    integer = value;
  } else if (typeof value === "number" && Number.isSafeInteger(value)) {
    integer = BigInt(value);
  } else if (typeof value === "number" && Number.isInteger(value)) {
    throw new EncodeProblem(`${value} is past the numbers that are exact: write it as a bigint`);
  } else {
    throw new EncodeProblem(`${show(value)} is not an integer`);
  }
  if (integer < range.min || integer > range.max) throw outOfRange(integer, range);
  return integer;
}

/** The same for ranges within 32 bits, as a number and without a bigint on the usual path. */
export function toNumber(value: unknown, min: number, max: number, range: IntegerRange): number {
  if (typeof value === "number" && Number.isInteger(value)) {
    if (value >= min && value <= max) return value;
    throw outOfRange(value, range);
  }
  return Number(toInteger(value, range));
}

function outOfRange(value: number | bigint, range: IntegerRange): EncodeProblem {
  return new EncodeProblem(`${value} does not fit into ${range.name} (${range.min}..${range.max})`);
}
