// SPDX-License-Identifier: Apache-2.0
import { field, lengthField } from "../build/field.ts";
import type { PacketPart } from "../build/packet-part.ts";
import type { Dissection } from "../parse/dissection.ts";
import type { LayerPlace } from "../parse/layer.ts";
import { IpProtocol } from "./ip-protocol.ts";
import { type TcpFlag, tcpFlagBits, tcpFlagsOf } from "./tcp-flag.ts";
import { dissectTcpOptions, encodeTcpOptions, type TcpOption } from "./tcp-option.ts";

/** Fields of a TCP header (RFC 9293). */
export interface TcpFields {
  /** Default 49152, the first dynamic port. */
  readonly sourcePort?: number | undefined;
  /** Default 80. */
  readonly destinationPort?: number | undefined;
  /** 32 bits. Default 0. */
  readonly sequence?: number | undefined;
  /** 32 bits. Default 0. */
  readonly acknowledgment?: number | undefined;
  /** Default `["ack"]`. */
  readonly flags?: readonly TcpFlag[] | undefined;
  /** Three bits before the flags. Default 0. */
  readonly reserved?: number | undefined;
  /** Not scaled. Default 65535. */
  readonly window?: number | undefined;
  /** Default 0. */
  readonly urgentPointer?: number | undefined;
  /** Default none. */
  readonly options?: readonly TcpOption[] | undefined;
  /** Header length in bytes, a multiple of 4. Default: 20 and the options. */
  readonly headerLength?: number | undefined;
  /** Default: the right one. */
  readonly checksum?: number | undefined;
}

/** A TCP header as parsed. */
export interface TcpLayer extends LayerPlace {
  readonly kind: "tcp";
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  /** From the lowest bit up. */
  readonly flags: readonly TcpFlag[];
  readonly reserved: number;
  readonly window: number;
  readonly urgentPointer: number;
  readonly options: readonly TcpOption[];
  readonly headerLength: number;
  readonly checksum: number;
}

const SIZE = 20;

/**
 * A TCP header with its options.
 *
 * @throws {PacketValueError} when a field does not fit
 */
export function tcp(fields: TcpFields = {}): PacketPart {
  const options = encodeTcpOptions(fields.options ?? []);
  const size = SIZE + options.length;
  return {
    kind: "tcp",
    size,
    protocol: IpProtocol.TCP,
    write(place) {
      place.setU16(0, field("tcp", "sourcePort", fields.sourcePort ?? 49152, 16));
      place.setU16(2, field("tcp", "destinationPort", fields.destinationPort ?? 80, 16));
      place.setU32(4, field("tcp", "sequence", fields.sequence ?? 0, 32));
      place.setU32(8, field("tcp", "acknowledgment", fields.acknowledgment ?? 0, 32));
      const words = lengthField("tcp", "headerLength", fields.headerLength ?? size, 4, 4);
      const reserved = field("tcp", "reserved", fields.reserved ?? 0, 3);
      place.setU16(12, (words << 12) | (reserved << 9) | tcpFlagBits(fields.flags ?? ["ack"]));
      place.setU16(14, field("tcp", "window", fields.window ?? 65535, 16));
      place.setU16(18, field("tcp", "urgentPointer", fields.urgentPointer ?? 0, 16));
      place.setBytes(SIZE, options);
      const checksum = fields.checksum ?? place.pseudoChecksum("tcp", IpProtocol.TCP);
      place.setU16(16, field("tcp", "checksum", checksum, 16));
    },
  };
}

/** Reads a TCP header. */
export function dissectTcp(dissection: Dissection): undefined {
  if (!dissection.has("tcp", SIZE)) return;
  const { offset } = dissection;
  const word = dissection.u16(12);
  const headerLength = (word >>> 12) * 4;
  if (headerLength < SIZE) return dissection.malformed("tcp", offset + 12, `header length is ${headerLength} bytes`);
  if (!dissection.has("tcp", headerLength)) return;
  dissection.add({
    kind: "tcp",
    offset,
    size: headerLength,
    sourcePort: dissection.u16(0),
    destinationPort: dissection.u16(2),
    sequence: dissection.u32(4),
    acknowledgment: dissection.u32(8),
    flags: tcpFlagsOf(word),
    reserved: (word >>> 9) & 7,
    window: dissection.u16(14),
    urgentPointer: dissection.u16(18),
    options: dissectTcpOptions(dissection, SIZE, headerLength),
    headerLength,
    checksum: dissection.u16(16),
  });
}
