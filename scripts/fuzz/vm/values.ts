// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../../packages/ebpf/src/fuzz/random.ts";

const EDGES = [
  ...[0, 0, 1, -1, 2, -2, 3, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 0x7fff, 0x8000, 0xffff],
  ...[0x10000, 0x7fffffff, -0x80000000, -0x7fffffff, 0x00ff00ff, 0x12345678, -128, -129, -32768, -32769],
];

/** A signed number of 32 bits, often one at an edge. */
export function number32(random: Random): number {
  switch (random.below(4)) {
    case 0:
    case 1:
      return random.pick(EDGES);
    case 2:
      return random.below(64) - 16;
    default:
      return random.next() | 0;
  }
}

/** A number of 64 bits, unsigned, often one at an edge. */
export function number64(random: Random): bigint {
  switch (random.below(4)) {
    case 0:
      return BigInt.asUintN(64, BigInt(number32(random)));
    case 1: {
      const bit = 1n << BigInt(random.below(64));
      return BigInt.asUintN(64, random.pick([bit, bit - 1n, -bit, bit + 1n]));
    }
    case 2:
      return BigInt.asUintN(64, (BigInt(number32(random)) << 32n) | BigInt(number32(random) >>> 0));
    default:
      return (BigInt(random.next()) << 32n) | BigInt(random.next());
  }
}

/** Bytes: random ones, or mostly zeros and ones. */
export function randomBytes(random: Random, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const plain = random.below(3) === 0;
  for (let i = 0; i < length; i++) bytes[i] = plain ? random.pick([0, 0, 0, 1, 0x80, 0xff]) : random.next();
  return bytes;
}
