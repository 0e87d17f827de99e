// SPDX-License-Identifier: Apache-2.0
import { dissectArp } from "../header/arp.ts";
import { dissectEthernet } from "../header/ethernet.ts";
import { dissectGeneve } from "../header/geneve.ts";
import { dissectGre } from "../header/gre.ts";
import { dissectIcmp, dissectIcmpv6 } from "../header/icmp.ts";
import { dissectIpv4 } from "../header/ipv4.ts";
import { dissectIpv6 } from "../header/ipv6.ts";
import { dissectFragment } from "../header/ipv6-fragment.ts";
import { dissectDestinationOptions, dissectHopByHop } from "../header/ipv6-options.ts";
import { dissectRouting } from "../header/ipv6-routing.ts";
import { dissectTcp } from "../header/tcp.ts";
import { dissectUdp } from "../header/udp.ts";
import { dissectVlan } from "../header/vlan.ts";
import { dissectVxlan } from "../header/vxlan.ts";
import { LinkType } from "../pcap/link-type.ts";
import { Dissection } from "./dissection.ts";
import type { LayerKind } from "./layer.ts";
import { ParsedPacket } from "./parsed-packet.ts";

/** Reads one header, adds its layer, and says what follows; undefined when that is payload. */
type Dissector = (dissection: Dissection) => LayerKind | undefined;

const DISSECTORS: Readonly<Record<Exclude<LayerKind, "payload" | "trailer">, Dissector>> = {
  arp: dissectArp,
  "destination-options": dissectDestinationOptions,
  ethernet: dissectEthernet,
  fragment: dissectFragment,
  geneve: dissectGeneve,
  gre: dissectGre,
  "hop-by-hop": dissectHopByHop,
  icmp: dissectIcmp,
  icmpv6: dissectIcmpv6,
  ipv4: dissectIpv4,
  ipv6: dissectIpv6,
  routing: dissectRouting,
  tcp: dissectTcp,
  udp: dissectUdp,
  vlan: dissectVlan,
  vxlan: dissectVxlan,
};

/**
 * Reads the headers of a packet, through tunnels, to what it carries. Never throws, whatever the bytes are: where a
 * header is cut off or contradicts itself, a fault says so, and the rest is payload. Checksums are not looked at: see
 * {@link checksumFaults}. Time is linear in the bytes.
 *
 * @param linkType - what it begins with, a number of `LinkType`; a packet of any other type is all payload
 */
export function parsePacket(bytes: Uint8Array, linkType: number = LinkType.ETHERNET): ParsedPacket {
  const dissection = new Dissection(bytes);
  let next = firstLayer(bytes, linkType);
  while (next !== undefined && next !== "payload" && next !== "trailer") next = DISSECTORS[next](dissection);
  const { offset, end, layers, faults } = dissection;
  if (offset < end) layers.push({ kind: "payload", offset, size: end - offset, bytes: bytes.subarray(offset, end) });
  if (end < bytes.length) {
    layers.push({ kind: "trailer", offset: end, size: bytes.length - end, bytes: bytes.subarray(end) });
  }
  return new ParsedPacket(bytes, layers, faults);
}

function firstLayer(bytes: Uint8Array, linkType: number): LayerKind | undefined {
  switch (linkType) {
    case LinkType.ETHERNET:
      return "ethernet";
    case LinkType.RAW:
      return (bytes[0] ?? 0) >>> 4 === 6 ? "ipv6" : "ipv4";
    case LinkType.IPV4:
      return "ipv4";
    case LinkType.IPV6:
      return "ipv6";
    default:
      return undefined;
  }
}
