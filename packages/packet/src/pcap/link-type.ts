// SPDX-License-Identifier: Apache-2.0

/**
 * What the packets of a capture begin with. Any number is kept when captures are read and written; these are the ones
 * that `parsePacket` knows. Source: https://www.tcpdump.org/linktypes.html
 */
export const LinkType = {
  ETHERNET: 1,
  /** An IPv4 or IPv6 header, as the first four bits say. */
  RAW: 101,
  IPV4: 228,
  IPV6: 229,
} as const;
