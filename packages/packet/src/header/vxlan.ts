// SPDX-License-Identifier: Apache-2.0
import { field } from "../build/field.ts";
import type { PacketPart } from "../build/packet-part.ts";
import type { Dissection } from "../parse/dissection.ts";
import type { LayerKind, LayerPlace } from "../parse/layer.ts";

/** Fields of a VXLAN header (RFC 7348 5). */
export interface VxlanFields {
  /** VXLAN network identifier, 24 bits. Default 1. */
  readonly vni?: number | undefined;
  /** 8 bits. Default 0x08: the identifier is valid. */
  readonly flags?: number | undefined;
}

/** A VXLAN header as parsed. */
export interface VxlanLayer extends LayerPlace {
  readonly kind: "vxlan";
  readonly vni: number;
  readonly flags: number;
}

/** UDP port of VXLAN. */
export const VXLAN_PORT = 4789;

const SIZE = 8;

/**
 * A VXLAN header, 8 bytes, to stand between `udp()` and `ethernet()`.
 *
 * @throws {PacketValueError} when a field does not fit
 */
export function vxlan(fields: VxlanFields = {}): PacketPart {
  const vni = field("vxlan", "vni", fields.vni ?? 1, 24);
  const flags = field("vxlan", "flags", fields.flags ?? 0x08, 8);
  return {
    kind: "vxlan",
    size: SIZE,
    udpPort: VXLAN_PORT,
    write(place) {
      place.setU32(0, flags * 2 ** 24);
      place.setU32(4, vni * 2 ** 8);
    },
  };
}

/** Reads a VXLAN header. */
export function dissectVxlan(dissection: Dissection): LayerKind | undefined {
  if (!dissection.has("vxlan", SIZE)) return undefined;
  const { offset } = dissection;
  dissection.add({ kind: "vxlan", offset, size: SIZE, vni: dissection.u32(4) >>> 8, flags: dissection.u8(0) });
  return "ethernet";
}
