// SPDX-License-Identifier: Apache-2.0
import { field } from "../build/field.ts";
import type { PacketPart } from "../build/packet-part.ts";
import type { Dissection } from "../parse/dissection.ts";
import type { LayerKind, LayerPlace } from "../parse/layer.ts";
import { EtherType } from "./ether-type.ts";
import { kindOfEtherType } from "./next-layer.ts";

/** Fields of a VLAN tag (IEEE 802.1Q). */
export interface VlanFields {
  /** VLAN identifier, 12 bits. Default 1. */
  readonly id?: number | undefined;
  /** Priority code point, 3 bits. Default 0. */
  readonly priority?: number | undefined;
  /** Drop eligible indicator. Default false. */
  readonly dropEligible?: boolean | undefined;
  /** How the header before announces the tag. Default 0x8100; {@link serviceVlan}: 0x88a8. */
  readonly tagType?: number | undefined;
  /** Default: what follows. */
  readonly etherType?: number | undefined;
}

/** A VLAN tag as parsed. */
export interface VlanLayer extends LayerPlace {
  readonly kind: "vlan";
  readonly id: number;
  readonly priority: number;
  readonly dropEligible: boolean;
  readonly tagType: number;
  readonly etherType: number;
}

const SIZE = 4;

/**
 * An 802.1Q tag, to stand behind `ethernet()`; 4 bytes. The tag type itself lies in the header before.
 *
 * @throws {PacketValueError} when a field does not fit
 */
export function vlan(fields: VlanFields = {}): PacketPart {
  const id = field("vlan", "id", fields.id ?? 1, 12);
  const priority = field("vlan", "priority", fields.priority ?? 0, 3);
  return {
    kind: "vlan",
    size: SIZE,
    etherType: fields.tagType ?? EtherType.VLAN,
    write(place) {
      place.setU16(0, (priority << 13) | (fields.dropEligible === true ? 0x1000 : 0) | id);
      const etherType = fields.etherType ?? place.next?.etherType ?? EtherType.EXPERIMENTAL;
      place.setU16(2, field("vlan", "etherType", etherType, 16));
    },
  };
}

/** An 802.1ad tag, the outer one of QinQ: `packet(ethernet(), serviceVlan({ id: 100 }), vlan({ id: 5 }), ipv4())`. */
export function serviceVlan(fields: VlanFields = {}): PacketPart {
  return vlan({ ...fields, tagType: fields.tagType ?? EtherType.SERVICE_VLAN });
}

/** Reads a VLAN tag. */
export function dissectVlan(dissection: Dissection): LayerKind | undefined {
  if (!dissection.has("vlan", SIZE)) return undefined;
  const control = dissection.u16(0);
  const etherType = dissection.u16(2);
  dissection.add({
    kind: "vlan",
    offset: dissection.offset,
    size: SIZE,
    id: control & 0xfff,
    priority: control >>> 13,
    dropEligible: (control & 0x1000) !== 0,
    tagType: dissection.etherType,
    etherType,
  });
  return kindOfEtherType(dissection, etherType);
}
