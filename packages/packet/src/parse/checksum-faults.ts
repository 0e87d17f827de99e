// SPDX-License-Identifier: Apache-2.0
import { internetChecksum, sumWords } from "../checksum/internet-checksum.ts";
import { pseudoHeaderSum } from "../checksum/pseudo-header.ts";
import { IpProtocol } from "../header/ip-protocol.ts";
import { finalDestination } from "../header/ipv6-routing.ts";
import type { Layer } from "./layer.ts";
import type { ParsedPacket } from "./parsed-packet.ts";

/** A checksum that is wrong. */
export interface ChecksumFault {
  /** The layer whose header holds it. */
  readonly layer: Layer;
  readonly found: number;
  readonly expected: number;
}

/** What the IP header around says to the checksums within. */
interface Surroundings {
  source: Uint8Array;
  destination: Uint8Array;
  /** Where what the innermost length field covers ends. */
  end: number;
  /** Whether all that a checksum covers is there. */
  whole: boolean;
}

/**
 * The wrong checksums of a packet, the outermost first: IPv4, ICMP, ICMPv6, TCP, UDP and GRE. Those that cover bytes
 * which are not there, as in a fragment or a packet cut off, cannot be told and are not listed; nor is a UDP checksum of
 * 0 over IPv4, which says that there is none. Over IPv6 it is wrong but for tunnels (RFC 6935).
 */
export function checksumFaults(parsed: ParsedPacket): ChecksumFault[] {
  const { bytes, layers, faults } = parsed;
  const none = new Uint8Array();
  const whole = !faults.some((fault) => fault.kind === "truncated");
  const around: Surroundings = { source: none, destination: none, end: bytes.length, whole };
  const wrong: ChecksumFault[] = [];
  for (const [index, layer] of layers.entries()) {
    enter(layer, bytes, around);
    if (layer.kind === "udp" && layer.checksum === 0 && mayGoWithout(around, layers[index + 1])) continue;
    const at = checksumOffset(layer);
    if (at === undefined || (layer.kind !== "ipv4" && !around.whole)) continue;
    const found = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    const expected = rightChecksum(layer, bytes, around, found);
    if (!same(layer, found, expected)) wrong.push({ layer, found, expected });
  }
  return wrong;
}

/** Takes over what a layer says about the ones in it. */
function enter(layer: Layer, bytes: Uint8Array, around: Surroundings): void {
  const { offset } = layer;
  switch (layer.kind) {
    case "ipv4":
      around.source = bytes.subarray(offset + 12, offset + 16);
      around.destination = bytes.subarray(offset + 16, offset + 20);
      if (layer.totalLength !== 0) around.end = Math.min(around.end, offset + layer.totalLength);
      around.whole &&= !layer.moreFragments && layer.fragmentOffset === 0;
      break;
    case "ipv6":
      around.source = bytes.subarray(offset + 8, offset + 24);
      around.destination = bytes.subarray(offset + 24, offset + 40);
      if (layer.payloadLength !== 0) around.end = Math.min(around.end, offset + layer.size + layer.payloadLength);
      break;
    case "routing":
      around.destination = finalDestination(layer.routingType, layer.segmentsLeft, layer.data) ?? around.destination;
      break;
    case "fragment":
      around.whole &&= !layer.moreFragments && layer.fragmentOffset === 0;
      break;
    case "udp":
      if (layer.length !== 0) around.end = Math.min(around.end, offset + layer.length);
      break;
  }
}

/** Whether UDP may do without a checksum: over IPv4, and with a tunnel in it over IPv6. */
function mayGoWithout(around: Surroundings, inside: Layer | undefined): boolean {
  return around.source.length === 4 || inside?.kind === "vxlan" || inside?.kind === "geneve";
}

/** A receiver sums all words and cannot tell 0 from 0xffff, the other zero of ones' complement; but UDP's 0 is none. */
function same(layer: Layer, found: number, expected: number): boolean {
  return layer.kind === "udp" ? found === expected : found % 0xffff === expected % 0xffff;
}

/** Where the layer's checksum stands in the packet; undefined when it has none. */
function checksumOffset(layer: Layer): number | undefined {
  switch (layer.kind) {
    case "ipv4":
      return layer.offset + 10;
    case "icmp":
    case "icmpv6":
      return layer.offset + 2;
    case "tcp":
      return layer.offset + 16;
    case "udp":
      return layer.offset + 6;
    case "gre":
      return layer.checksum === undefined ? undefined : layer.offset + 4;
    default:
      return undefined;
  }
}

/** The checksum that should stand there: that of all it covers, with the one found taken out again. */
function rightChecksum(layer: Layer, bytes: Uint8Array, around: Surroundings, found: number): number {
  const end = layer.kind === "ipv4" ? layer.offset + layer.size : around.end;
  // Adding the complement of the word that is there leaves the sum as if it were zero.
  const covered = sumWords(bytes, layer.offset, end) + (~found & 0xffff);
  const sum = internetChecksum(bytes, 0, 0, covered + pseudoSum(layer, around));
  return sum === 0 && layer.kind === "udp" ? 0xffff : sum;
}

function pseudoSum(layer: Layer, around: Surroundings): number {
  const length = around.end - layer.offset;
  switch (layer.kind) {
    case "tcp":
      return pseudoHeaderSum(around.source, around.destination, IpProtocol.TCP, length);
    case "udp":
      return pseudoHeaderSum(around.source, around.destination, IpProtocol.UDP, length);
    case "icmpv6":
      return pseudoHeaderSum(around.source, around.destination, IpProtocol.ICMPV6, length);
    default:
      return 0;
  }
}
