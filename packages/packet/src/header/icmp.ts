// SPDX-License-Identifier: Apache-2.0
import { field } from "../build/field.ts";
import type { PacketPart, PartPlace } from "../build/packet-part.ts";
import type { Dissection } from "../parse/dissection.ts";
import type { LayerPlace } from "../parse/layer.ts";
import { IpProtocol } from "./ip-protocol.ts";

/** Fields of an ICMP (RFC 792) or ICMPv6 (RFC 4443) header. */
export interface IcmpFields {
  /** Default: echo request, 8 in ICMP and 128 in ICMPv6. */
  readonly type?: number | undefined;
  /** Default 0. */
  readonly code?: number | undefined;
  /**
   * The 4 bytes behind the checksum as one number, whose meaning the type gives: a gateway, or an MTU in its low half
   * (all of it in ICMPv6). Default: identifier and sequence.
   */
  readonly rest?: number | undefined;
  /** Of an echo: the upper half of `rest`. Default 1. */
  readonly identifier?: number | undefined;
  /** Of an echo: the lower half of `rest`. Default 1. */
  readonly sequence?: number | undefined;
  /** Default: the right one. */
  readonly checksum?: number | undefined;
}

/** An ICMP or ICMPv6 header as parsed; the packet that an error quotes is payload. */
export interface IcmpLayer extends LayerPlace {
  readonly kind: "icmp" | "icmpv6";
  readonly type: number;
  readonly code: number;
  readonly rest: number;
  readonly checksum: number;
}

const SIZE = 8;

/**
 * An ICMP header, 8 bytes.
 *
 * @throws {PacketValueError} when a field does not fit
 */
export function icmp(fields: IcmpFields = {}): PacketPart {
  return {
    kind: "icmp",
    size: SIZE,
    protocol: IpProtocol.ICMP,
    write: (place) => write("icmp", place, fields, fields.type ?? 8, () => place.checksum()),
  };
}

/**
 * An ICMPv6 header, 8 bytes; its checksum covers a pseudo header.
 *
 * @throws {PacketValueError} when a field does not fit
 */
export function icmpv6(fields: IcmpFields = {}): PacketPart {
  return {
    kind: "icmpv6",
    size: SIZE,
    protocol: IpProtocol.ICMPV6,
    write: (place) =>
      write("icmpv6", place, fields, fields.type ?? 128, () => place.pseudoChecksum("icmpv6", IpProtocol.ICMPV6)),
  };
}

function write(kind: IcmpLayer["kind"], place: PartPlace, fields: IcmpFields, type: number, sum: () => number): void {
  place.setU16(0, (field(kind, "type", type, 8) << 8) | field(kind, "code", fields.code ?? 0, 8));
  const identifier = field(kind, "identifier", fields.identifier ?? 1, 16);
  const sequence = field(kind, "sequence", fields.sequence ?? 1, 16);
  place.setU32(4, field(kind, "rest", fields.rest ?? identifier * 0x10000 + sequence, 32));
  place.setU16(2, field(kind, "checksum", fields.checksum ?? sum(), 16));
}

/** Reads an ICMP header. */
export function dissectIcmp(dissection: Dissection): undefined {
  dissect(dissection, "icmp");
}

/** Reads an ICMPv6 header. */
export function dissectIcmpv6(dissection: Dissection): undefined {
  dissect(dissection, "icmpv6");
}

function dissect(dissection: Dissection, kind: IcmpLayer["kind"]): void {
  if (!dissection.has(kind, SIZE)) return;
  dissection.add({
    kind,
    offset: dissection.offset,
    size: SIZE,
    type: dissection.u8(0),
    code: dissection.u8(1),
    rest: dissection.u32(4),
    checksum: dissection.u16(2),
  });
}
