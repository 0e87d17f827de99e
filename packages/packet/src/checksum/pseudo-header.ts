// SPDX-License-Identifier: Apache-2.0
import { foldSum, sumWords } from "./internet-checksum.ts";

/**
 * Sum of the pseudo header that checksums of TCP, UDP and ICMPv6 cover besides their own bytes: addresses, protocol and
 * length. RFC 9293 3.1, RFC 768, RFC 8200 8.1. To be given to `internetChecksum` as `sum`.
 *
 * @param source - 4 or 16 bytes
 * @param destination - as long as `source`; the last destination, if an IPv6 routing header names one
 * @param protocol - the upper protocol's number, not an extension header's
 * @param length - of upper header and payload, in bytes
 */
export function pseudoHeaderSum(source: Uint8Array, destination: Uint8Array, protocol: number, length: number): number {
  // A length above 65535 (jumbograms) is a 32-bit field: folding adds its halves.
  return foldSum(sumWords(source) + sumWords(destination) + protocol + length);
}
