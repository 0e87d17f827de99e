// SPDX-License-Identifier: Apache-2.0
import { field } from "../build/field.ts";
import type { PacketPart } from "../build/packet-part.ts";
import type { Dissection } from "../parse/dissection.ts";
import type { LayerKind, LayerPlace } from "../parse/layer.ts";
import { EtherType } from "./ether-type.ts";
import { IpProtocol } from "./ip-protocol.ts";
import { kindOfEtherType } from "./next-layer.ts";

/** Fields of a GRE header (RFC 2784) with key and sequence number (RFC 2890). */
export interface GreFields {
  /** EtherType of what is inside. Default: what follows. */
  readonly protocolType?: number | undefined;
  /** Default: none, the header has no such field. `true` writes the right one. */
  readonly checksum?: number | true | undefined;
  /** 32 bits. Default: none. */
  readonly key?: number | undefined;
  /** 32 bits. Default: none. */
  readonly sequence?: number | undefined;
}

/** A GRE header of version 0 as parsed; fields that it does not have are undefined. */
export interface GreLayer extends LayerPlace {
  readonly kind: "gre";
  readonly protocolType: number;
  readonly checksum: number | undefined;
  readonly key: number | undefined;
  readonly sequence: number | undefined;
}

const CHECKSUM = 0x8000;
const ROUTING = 0x4000;
const KEY = 0x2000;
const SEQUENCE = 0x1000;

/**
 * A GRE header: 4 bytes, and 4 for each of checksum, key and sequence number that it has.
 *
 * @throws {PacketValueError} when a field does not fit
 */
export function gre(fields: GreFields = {}): PacketPart {
  const { checksum, key, sequence } = fields;
  const size = 4 + [checksum, key, sequence].filter((value) => value !== undefined).length * 4;
  return {
    kind: "gre",
    size,
    protocol: IpProtocol.GRE,
    write(place) {
      const flags =
        (checksum === undefined ? 0 : CHECKSUM) |
        (key === undefined ? 0 : KEY) |
        (sequence === undefined ? 0 : SEQUENCE);
      const protocolType = fields.protocolType ?? place.next?.etherType ?? EtherType.EXPERIMENTAL;
      place.setU16(0, flags);
      place.setU16(2, field("gre", "protocolType", protocolType, 16));
      let at = checksum === undefined ? 4 : 8;
      if (key !== undefined) place.setU32(at, field("gre", "key", key, 32));
      if (key !== undefined) at += 4;
      if (sequence !== undefined) place.setU32(at, field("gre", "sequence", sequence, 32));
      if (checksum !== undefined) {
        place.setU16(4, field("gre", "checksum", checksum === true ? place.checksum() : checksum, 16));
      }
    },
  };
}

/** Reads a GRE header of version 0 without source routes; any other stays payload. */
export function dissectGre(dissection: Dissection): LayerKind | undefined {
  if (!dissection.has("gre", 4)) return undefined;
  const flags = dissection.u16(0);
  if ((flags & 7) !== 0 || (flags & ROUTING) !== 0) return undefined;
  let size = 4;
  const checksumAt = flags & CHECKSUM ? size : undefined;
  if (checksumAt !== undefined) size += 4;
  const keyAt = flags & KEY ? size : undefined;
  if (keyAt !== undefined) size += 4;
  const sequenceAt = flags & SEQUENCE ? size : undefined;
  if (sequenceAt !== undefined) size += 4;
  if (!dissection.has("gre", size)) return undefined;
  const protocolType = dissection.u16(2);
  dissection.add({
    kind: "gre",
    offset: dissection.offset,
    size,
    protocolType,
    checksum: checksumAt === undefined ? undefined : dissection.u16(checksumAt),
    key: keyAt === undefined ? undefined : dissection.u32(keyAt),
    sequence: sequenceAt === undefined ? undefined : dissection.u32(sequenceAt),
  });
  return kindOfEtherType(dissection, protocolType);
}
