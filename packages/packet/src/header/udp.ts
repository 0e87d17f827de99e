// SPDX-License-Identifier: Apache-2.0
import { field } from "../build/field.ts";
import type { PacketPart } from "../build/packet-part.ts";
import type { Dissection } from "../parse/dissection.ts";
import type { LayerKind, LayerPlace } from "../parse/layer.ts";
import { GENEVE_PORT } from "./geneve.ts";
import { IpProtocol } from "./ip-protocol.ts";
import { VXLAN_PORT } from "./vxlan.ts";

/** Fields of a UDP header (RFC 768). */
export interface UdpFields {
  /** Default 49152, the first dynamic port. */
  readonly sourcePort?: number | undefined;
  /** Default: that of the tunnel that follows, else 9 (discard). */
  readonly destinationPort?: number | undefined;
  /** Length of header and payload in bytes. Default: all to the end of the packet. */
  readonly length?: number | undefined;
  /** Default: the right one; 0 says that there is none. */
  readonly checksum?: number | undefined;
}

/** A UDP header as parsed. */
export interface UdpLayer extends LayerPlace {
  readonly kind: "udp";
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly length: number;
  readonly checksum: number;
}

const SIZE = 8;
const DISCARD_PORT = 9;

/**
 * A UDP header, 8 bytes.
 *
 * @throws {PacketValueError} when a field does not fit
 */
export function udp(fields: UdpFields = {}): PacketPart {
  return {
    kind: "udp",
    size: SIZE,
    protocol: IpProtocol.UDP,
    write(place) {
      const destinationPort = fields.destinationPort ?? place.next?.udpPort ?? DISCARD_PORT;
      place.setU16(0, field("udp", "sourcePort", fields.sourcePort ?? 49152, 16));
      place.setU16(2, field("udp", "destinationPort", destinationPort, 16));
      place.setU16(4, field("udp", "length", fields.length ?? place.length, 16));
      // 0 would say that there is no checksum; 0xffff is the same sum (RFC 768).
      const checksum = fields.checksum ?? (place.pseudoChecksum("udp", IpProtocol.UDP) || 0xffff);
      place.setU16(6, field("udp", "checksum", checksum, 16));
    },
  };
}

/** Reads a UDP header; what is sent to the port of a tunnel is read as that tunnel's. */
export function dissectUdp(dissection: Dissection): LayerKind | undefined {
  if (!dissection.has("udp", SIZE)) return undefined;
  const { offset } = dissection;
  const length = dissection.u16(4);
  // 0 is a jumbogram's (RFC 2675 4): the length is that of the bytes.
  if (length !== 0 && length < SIZE) return dissection.malformed("udp", offset + 4, `length is ${length} bytes`);
  if (length !== 0) dissection.limit("udp", length);
  const destinationPort = dissection.u16(2);
  const sourcePort = dissection.u16(0);
  dissection.add({ kind: "udp", offset, size: SIZE, sourcePort, destinationPort, length, checksum: dissection.u16(6) });
  if (destinationPort === VXLAN_PORT) return "vxlan";
  return destinationPort === GENEVE_PORT ? "geneve" : undefined;
}
