// SPDX-License-Identifier: Apache-2.0
import { foldSum, sumWords } from "./internet-checksum.ts";

/**
 * The checksum after one 16-bit word under it changed, without the rest of the bytes: equation 3 of RFC 1624, which
 * is right where RFC 1141 is not.
 *
 * A UDP checksum of 0 means that there is none: leave it; and where 0 comes out for UDP, 0xffff is to be written.
 */
export function updateChecksum(checksum: number, oldWord: number, newWord: number): number {
  return ~foldSum((~checksum & 0xffff) + (~oldWord & 0xffff) + (newWord & 0xffff)) & 0xffff;
}

/**
 * As {@link updateChecksum} for a 32-bit field, such as an IPv4 address; it must begin at an even offset within what is
 * summed.
 */
export function updateChecksum32(checksum: number, oldValue: number, newValue: number): number {
  const half = updateChecksum(checksum, oldValue >>> 16, newValue >>> 16);
  return updateChecksum(half, oldValue & 0xffff, newValue & 0xffff);
}

/**
 * As {@link updateChecksum} for a run of bytes that others replace, such as an IPv6 address. Their lengths may differ; both
 * begin at an even offset within what is summed, and if the lengths differ both are even.
 */
export function updateChecksumBytes(checksum: number, oldBytes: Uint8Array, newBytes: Uint8Array): number {
  return ~foldSum((~checksum & 0xffff) + (~sumWords(oldBytes) & 0xffff) + sumWords(newBytes)) & 0xffff;
}
