// SPDX-License-Identifier: Apache-2.0
import {
  arp,
  destinationOptions,
  ethernet,
  fragment,
  geneve,
  gre,
  hopByHop,
  icmp,
  icmpv6,
  ipv4,
  ipv6,
  type Layer,
  type PacketPart,
  routing,
  tcp,
  udp,
  vlan,
  vxlan,
} from "../index.ts";

/** The part that builds a layer as it was parsed: every layer's fields are those that its function takes. */
export function partOfLayer(layer: Layer): PacketPart | Uint8Array {
  switch (layer.kind) {
    case "arp":
      return arp(layer);
    case "destination-options":
      return destinationOptions(layer);
    case "ethernet":
      return ethernet(layer);
    case "fragment":
      return fragment(layer);
    case "geneve":
      return geneve(layer);
    case "gre":
      return gre(layer);
    case "hop-by-hop":
      return hopByHop(layer);
    case "icmp":
      return icmp(layer);
    case "icmpv6":
      return icmpv6(layer);
    case "ipv4":
      return ipv4(layer);
    case "ipv6":
      return ipv6(layer);
    case "payload":
      return layer.bytes;
    case "routing":
      return routing(layer);
    case "tcp":
      return tcp(layer);
    case "trailer":
      return layer.bytes;
    case "udp":
      return udp(layer);
    case "vlan":
      return vlan(layer);
    case "vxlan":
      return vxlan(layer);
  }
}
