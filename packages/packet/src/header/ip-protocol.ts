// SPDX-License-Identifier: Apache-2.0

/** Protocol numbers of IPv4 headers and next-header numbers of IPv6 ones. IANA protocol numbers. */
export const IpProtocol = {
  /** IPv6 hop-by-hop options. */
  HOP_BY_HOP: 0,
  ICMP: 1,
  /** An IPv4 header in an IP packet: IPIP, or IP in IPv6. */
  IPV4: 4,
  TCP: 6,
  UDP: 17,
  /** An IPv6 header in an IP packet. */
  IPV6: 41,
  /** IPv6 routing header. */
  ROUTING: 43,
  /** IPv6 fragment header. */
  FRAGMENT: 44,
  GRE: 47,
  ICMPV6: 58,
  /** Nothing follows. */
  NO_NEXT_HEADER: 59,
  /** IPv6 destination options. */
  DESTINATION_OPTIONS: 60,
  /** An Ethernet header in an IP packet (RFC 8986). */
  ETHERNET: 143,
  /** For experiments (RFC 3692): what a payload without a protocol is called. */
  EXPERIMENTAL: 253,
} as const;
