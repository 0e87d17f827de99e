// SPDX-License-Identifier: Apache-2.0
import type { Layer } from "../parse/layer.ts";
import type { ParsedPacket } from "../parse/parsed-packet.ts";
import { describeIcmp } from "./describe-icmp.ts";
import { describeTcp } from "./describe-tcp.ts";

/**
 * A layer's part of the line, with the comma or colon that parts it from the next one; empty when the layers around say
 * it all.
 */
export function describeLayer(parsed: ParsedPacket, layer: Layer, index: number): string {
  const { layers } = parsed;
  const next = layers[index + 1];
  const payload = next?.kind === "payload" ? next.size : 0;
  switch (layer.kind) {
    case "ethernet":
      return `${layer.source} > ${layer.destination}, ${etherTypeUnlessClear(layer.etherType, next)}`;
    case "vlan":
      return `vlan ${layer.id}, p ${layer.priority}${layer.dropEligible ? ", DEI" : ""}, ${etherTypeUnlessClear(layer.etherType, next)}`;
    case "arp":
      return layer.operation === 1
        ? `ARP, Request who-has ${layer.targetIp} tell ${layer.senderIp}`
        : layer.operation === 2
          ? `ARP, Reply ${layer.senderIp} is-at ${layer.senderMac}`
          : `ARP, operation ${layer.operation}, ${layer.senderIp} to ${layer.targetIp}`;
    case "ipv4":
    case "ipv6":
      return `${layer.kind === "ipv4" ? "IP" : "IP6"} ${endpoints(layer.source, layer.destination, layers, index)}: ${protocolUnlessClear(layer, next)}`;
    case "hop-by-hop":
      return "HBH ";
    case "destination-options":
      return "DSTOPT ";
    case "routing":
      return `srcrt (type=${layer.routingType}, segleft=${layer.segmentsLeft}) `;
    case "fragment":
      return `frag (${layer.fragmentOffset}|${layer.moreFragments ? "more" : "last"}) `;
    case "tcp":
      return describeTcp(layer, payload);
    case "udp":
      return next?.kind === "vxlan" || next?.kind === "geneve" ? "" : `UDP, length ${payload}`;
    case "icmp":
    case "icmpv6":
      return describeIcmp(layer, layer.size + payload);
    case "gre":
      return `GREv0${layer.key === undefined ? "" : `, key=0x${layer.key.toString(16)}`}${layer.sequence === undefined ? "" : `, seq ${layer.sequence}`}, ${etherTypeUnlessClear(layer.protocolType, next)}`;
    case "vxlan":
      return `VXLAN, vni ${layer.vni}, `;
    case "geneve":
      return `Geneve, vni ${layer.vni}, ${etherTypeUnlessClear(layer.protocolType, next)}`;
    case "payload":
      return isCounted(layers[index - 1]) ? "" : `length ${layer.size}`;
    case "trailer":
      return `, trailer ${layer.size}`;
  }
}

/** Addresses, with ports where the layer of ports comes before another IP header. */
function endpoints(source: string, destination: string, layers: readonly Layer[], index: number): string {
  for (const layer of layers.slice(index + 1)) {
    if (layer.kind === "tcp" || layer.kind === "udp") {
      return `${source}.${layer.sourcePort} > ${destination}.${layer.destinationPort}`;
    }
    if (layer.kind === "ipv4" || layer.kind === "ipv6") break;
  }
  return `${source} > ${destination}`;
}

/** The type when no layer follows that names itself. */
function etherTypeUnlessClear(etherType: number, next: Layer | undefined): string {
  if (next !== undefined && next.kind !== "payload" && next.kind !== "trailer") return "";
  return `ethertype 0x${etherType.toString(16).padStart(4, "0")}${next?.kind === "payload" ? ", " : ""}`;
}

/** What an IP header carries, when no layer follows that names itself. */
function protocolUnlessClear(layer: Layer & { kind: "ipv4" | "ipv6" }, next: Layer | undefined): string {
  const fragment =
    layer.kind === "ipv4" && (layer.moreFragments || layer.fragmentOffset > 0)
      ? `frag (${layer.fragmentOffset}|${layer.moreFragments ? "more" : "last"}) `
      : "";
  if (next !== undefined && next.kind !== "payload" && next.kind !== "trailer") return fragment;
  const protocol = layer.kind === "ipv4" ? layer.protocol : layer.nextHeader;
  return `${fragment}ip-proto-${protocol}${next?.kind === "payload" ? ", " : ""}`;
}

/** Whether the layer before told the length of the payload. */
function isCounted(layer: Layer | undefined): boolean {
  return layer?.kind === "tcp" || layer?.kind === "udp" || layer?.kind === "icmp" || layer?.kind === "icmpv6";
}
