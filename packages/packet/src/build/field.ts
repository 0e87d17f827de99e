// SPDX-License-Identifier: Apache-2.0
import { PacketValueError } from "../errors.ts";

/**
 * A value that fits a header field.
 *
 * @throws {PacketValueError} naming layer and field when `value` is no integer of `bits` bits, unsigned
 */
export function field(layer: string, name: string, value: number, bits: number): number {
  const limit = 2 ** bits;
  if (!Number.isInteger(value) || value < 0 || value >= limit) {
    throw new PacketValueError(`${layer}: ${name} is ${value}, wanted 0 to ${limit - 1}`);
  }
  return value;
}

/**
 * A header's length as its field counts it, in words of `unit` bytes.
 *
 * @throws {PacketValueError} when the length is no multiple of `unit` or its words do not fit `bits` bits
 */
export function lengthField(layer: string, name: string, length: number, unit: number, bits: number): number {
  const words = length / unit;
  if (!Number.isInteger(words) || words < 0 || words >= 2 ** bits) {
    const most = (2 ** bits - 1) * unit;
    throw new PacketValueError(`${layer}: ${name} is ${length} bytes, wanted a multiple of ${unit} up to ${most}`);
  }
  return words;
}
