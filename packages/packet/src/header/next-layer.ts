// SPDX-License-Identifier: Apache-2.0
import type { Dissection } from "../parse/dissection.ts";
import type { LayerKind } from "../parse/layer.ts";
import { EtherType } from "./ether-type.ts";
import { IpProtocol } from "./ip-protocol.ts";

/** The layer that an EtherType announces, undefined when it is not one that is read. */
export function kindOfEtherType(dissection: Dissection, etherType: number): LayerKind | undefined {
  dissection.etherType = etherType;
  switch (etherType) {
    case EtherType.IPV4:
      return "ipv4";
    case EtherType.IPV6:
      return "ipv6";
    case EtherType.ARP:
      return "arp";
    case EtherType.ETHERNET:
      return "ethernet";
    case EtherType.VLAN:
    case EtherType.SERVICE_VLAN:
    case EtherType.OLD_SERVICE_VLAN:
      return "vlan";
    default:
      return undefined;
  }
}

/** The layer that a protocol number announces; extension headers belong to IPv6 alone. */
export function kindOfProtocol(dissection: Dissection, protocol: number): LayerKind | undefined {
  const extension = dissection.ipVersion === 6;
  switch (protocol) {
    case IpProtocol.ICMP:
      return "icmp";
    case IpProtocol.IPV4:
      return "ipv4";
    case IpProtocol.TCP:
      return "tcp";
    case IpProtocol.UDP:
      return "udp";
    case IpProtocol.IPV6:
      return "ipv6";
    case IpProtocol.GRE:
      return "gre";
    case IpProtocol.ICMPV6:
      return "icmpv6";
    case IpProtocol.ETHERNET:
      return "ethernet";
    case IpProtocol.HOP_BY_HOP:
      return extension ? "hop-by-hop" : undefined;
    case IpProtocol.ROUTING:
      return extension ? "routing" : undefined;
    case IpProtocol.FRAGMENT:
      return extension ? "fragment" : undefined;
    case IpProtocol.DESTINATION_OPTIONS:
      return extension ? "destination-options" : undefined;
    default:
      return undefined;
  }
}
