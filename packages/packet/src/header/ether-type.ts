// SPDX-License-Identifier: Apache-2.0

/** Numbers of protocols in Ethernet's type field, in VLAN tags and in GRE. IANA and IEEE 802 numbers. */
export const EtherType = {
  IPV4: 0x0800,
  ARP: 0x0806,
  /** Transparent Ethernet bridging: an Ethernet header inside GRE or GENEVE (RFC 1701). */
  ETHERNET: 0x6558,
  /** 802.1Q tag. */
  VLAN: 0x8100,
  IPV6: 0x86dd,
  /** 802.1ad tag: a provider's, outside the customer's. */
  SERVICE_VLAN: 0x88a8,
  /** IEEE 802 local experimental: what a payload without a protocol is called. */
  EXPERIMENTAL: 0x88b5,
  /** The tag in front of another before 802.1ad gave it a number of its own. */
  OLD_SERVICE_VLAN: 0x9100,
} as const;
