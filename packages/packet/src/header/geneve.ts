// SPDX-License-Identifier: Apache-2.0
import { field, lengthField } from "../build/field.ts";
import type { PacketPart } from "../build/packet-part.ts";
import type { Dissection } from "../parse/dissection.ts";
import type { LayerKind, LayerPlace } from "../parse/layer.ts";
import { EtherType } from "./ether-type.ts";
import { kindOfEtherType } from "./next-layer.ts";

/** Fields of a GENEVE header (RFC 8926 3.4). */
export interface GeneveFields {
  /** Virtual network identifier, 24 bits. Default 1. */
  readonly vni?: number | undefined;
  /** EtherType of what is inside. Default: what follows. */
  readonly protocolType?: number | undefined;
  /** The O bit: a control packet. Default false. */
  readonly control?: boolean | undefined;
  /** The C bit: options that must be understood are there. Default false. */
  readonly critical?: boolean | undefined;
  /** Options as bytes, a multiple of 4 up to 252. Default none. */
  readonly options?: Uint8Array | undefined;
}

/** A GENEVE header as parsed. */
export interface GeneveLayer extends LayerPlace {
  readonly kind: "geneve";
  readonly vni: number;
  readonly protocolType: number;
  readonly control: boolean;
  readonly critical: boolean;
  readonly options: Uint8Array;
}

/** UDP port of GENEVE. */
export const GENEVE_PORT = 6081;

const SIZE = 8;

/**
 * A GENEVE header of version 0, to stand behind `udp()`.
 *
 * @throws {PacketValueError} when a field does not fit
 */
export function geneve(fields: GeneveFields = {}): PacketPart {
  const options = fields.options ?? new Uint8Array();
  const words = lengthField("geneve", "length of options", options.length, 4, 6);
  const vni = field("geneve", "vni", fields.vni ?? 1, 24);
  return {
    kind: "geneve",
    size: SIZE + options.length,
    udpPort: GENEVE_PORT,
    write(place) {
      const flags = (fields.control === true ? 0x80 : 0) | (fields.critical === true ? 0x40 : 0);
      const protocolType = fields.protocolType ?? place.next?.etherType ?? EtherType.EXPERIMENTAL;
      place.setU16(0, (words << 8) | flags);
      place.setU16(2, field("geneve", "protocolType", protocolType, 16));
      place.setU32(4, vni * 2 ** 8);
      place.setBytes(SIZE, options);
    },
  };
}

/** Reads a GENEVE header; one of a version that is not known stays payload. */
export function dissectGeneve(dissection: Dissection): LayerKind | undefined {
  if (!dissection.has("geneve", SIZE)) return undefined;
  const first = dissection.u8(0);
  if (first >>> 6 !== 0) return undefined;
  const size = SIZE + (first & 0x3f) * 4;
  if (!dissection.has("geneve", size)) return undefined;
  const protocolType = dissection.u16(2);
  dissection.add({
    kind: "geneve",
    offset: dissection.offset,
    size,
    vni: dissection.u32(4) >>> 8,
    protocolType,
    control: (dissection.u8(1) & 0x80) !== 0,
    critical: (dissection.u8(1) & 0x40) !== 0,
    options: dissection.slice(SIZE, size),
  });
  return kindOfEtherType(dissection, protocolType);
}
