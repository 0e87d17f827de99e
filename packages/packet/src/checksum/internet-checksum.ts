// SPDX-License-Identifier: Apache-2.0

/** From this length on a DataView pays for itself. */
const LONG = 512;

/**
 * Sums bytes as big-endian 16-bit words with end-around carry; an odd last byte counts as if a zero byte followed.
 * Not complemented, so sums can be added to each other and folded: see {@link foldSum}. RFC 1071.
 *
 * @returns 0 to 0xffff
 */
export function sumWords(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  return end - start < LONG ? sumShort(bytes, start, end) : sumLong(bytes, start, end);
}

/** Adds the carries of a sum of 16-bit words back to it until none is left: 0 to 0xffff. `sum` is up to 2^53. */
export function foldSum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return folded;
}

/**
 * The internet checksum of bytes, as it stands in headers of IPv4, ICMP, UDP and TCP: the complement of their sum.
 * Over a header that holds its own right checksum it is 0. RFC 1071.
 *
 * @param sum - what else counts, such as a pseudo header's sum
 */
export function internetChecksum(bytes: Uint8Array, start = 0, end: number = bytes.length, sum = 0): number {
  return ~foldSum(sumWords(bytes, start, end) + sum) & 0xffff;
}

function sumShort(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0;
  const even = end - ((end - start) & 1);
  for (let at = start; at < even; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  if (even < end) sum += (bytes[even] ?? 0) << 8;
  return foldSum(sum);
}

/** Two doubles of 32-bit words: exact to 16 MiB a round. The sum is that of swapped words, swapped at the end. */
function sumLong(bytes: Uint8Array, start: number, end: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let total = 0;
  let at = start;
  while (at + 8 <= end) {
    const stop = Math.min(end - 7, at + 0x100_0000);
    let even = 0;
    let odd = 0;
    for (; at < stop; at += 8) {
      even += view.getUint32(at, true);
      odd += view.getUint32(at + 4, true);
    }
    total = foldSum(total + even) + foldSum(odd);
  }
  if (at + 4 <= end) {
    total += view.getUint32(at, true);
    at += 4;
  }
  if (at + 2 <= end) {
    total += view.getUint16(at, true);
    at += 2;
  }
  if (at < end) total += view.getUint8(at);
  const swapped = foldSum(total);
  return ((swapped & 0xff) << 8) | (swapped >>> 8);
}
