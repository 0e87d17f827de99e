// SPDX-License-Identifier: Apache-2.0

import { checksumFaults } from "../parse/checksum-faults.ts";
import { parsePacket } from "../parse/parse-packet.ts";
import { ParsedPacket } from "../parse/parsed-packet.ts";
import { LinkType } from "../pcap/link-type.ts";
import { describeLayer } from "./describe-layer.ts";

/**
 * A packet in one line, in the words of `tcpdump -e -n`, with what is wrong with it in brackets at the end: bytes that
 * are missing, lengths that contradict each other, wrong checksums.
 *
 * ```
 * 02:00:00:00:00:01 > 02:00:00:00:00:02, IP 192.0.2.1.49152 > 198.51.100.1.80: Flags [S], seq 0, win 65535, length 0
 * ```
 *
 * Never throws, whatever the bytes are. The text is for people; it may change.
 *
 * @param linkType - as `parsePacket` takes it; not looked at when the packet is parsed already
 */
export function describePacket(packet: ParsedPacket | Uint8Array, linkType: number = LinkType.ETHERNET): string {
  const parsed = packet instanceof ParsedPacket ? packet : parsePacket(packet, linkType);
  const texts: string[] = [];
  for (const [index, layer] of parsed.layers.entries()) {
    const text = describeLayer(parsed, layer, index);
    if (text !== "") texts.push(text);
  }
  const line = texts.length === 0 ? "no bytes" : texts.join("");
  const notes = parsed.faults.map(
    (fault) => ` [${fault.kind} ${fault.layer} at byte ${fault.offset}: ${fault.message}]`,
  );
  for (const { layer, found, expected } of checksumFaults(parsed)) {
    notes.push(` [wrong ${layer.kind} checksum ${hex(found)}, should be ${hex(expected)}]`);
  }
  return line + notes.join("");
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(4, "0")}`;
}
