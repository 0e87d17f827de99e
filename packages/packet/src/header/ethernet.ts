// SPDX-License-Identifier: Apache-2.0
import { formatMac, type MacAddress, macBytes } from "../address/mac-address.ts";
import { field } from "../build/field.ts";
import type { PacketPart } from "../build/packet-part.ts";
import type { Dissection } from "../parse/dissection.ts";
import type { LayerKind, LayerPlace } from "../parse/layer.ts";
import { EtherType } from "./ether-type.ts";
import { IpProtocol } from "./ip-protocol.ts";
import { kindOfEtherType } from "./next-layer.ts";

/** Fields of an Ethernet II header (IEEE 802.3). */
export interface EthernetFields {
  /** Default `02:00:00:00:00:01`, locally administered. */
  readonly source?: MacAddress | undefined;
  /** Default `02:00:00:00:00:02`. */
  readonly destination?: MacAddress | undefined;
  /** Default: what follows. Below 0x600 it is a length, and the frame one of IEEE 802.3. */
  readonly etherType?: number | undefined;
}

/** An Ethernet header as parsed. */
export interface EthernetLayer extends LayerPlace {
  readonly kind: "ethernet";
  readonly source: string;
  readonly destination: string;
  readonly etherType: number;
}

const SIZE = 14;

/**
 * An Ethernet header of 14 bytes: no preamble, no FCS, no padding to 60 bytes.
 *
 * @throws {PacketValueError} when a field does not fit
 */
export function ethernet(fields: EthernetFields = {}): PacketPart {
  const source = macBytes(fields.source ?? "02:00:00:00:00:01");
  const destination = macBytes(fields.destination ?? "02:00:00:00:00:02");
  return {
    kind: "ethernet",
    size: SIZE,
    etherType: EtherType.ETHERNET,
    protocol: IpProtocol.ETHERNET,
    write(place) {
      const etherType = fields.etherType ?? place.next?.etherType ?? EtherType.EXPERIMENTAL;
      place.setBytes(0, destination);
      place.setBytes(6, source);
      place.setU16(12, field("ethernet", "etherType", etherType, 16));
    },
  };
}

/** Reads an Ethernet header. */
export function dissectEthernet(dissection: Dissection): LayerKind | undefined {
  if (!dissection.has("ethernet", SIZE)) return undefined;
  const etherType = dissection.u16(12);
  const { offset, bytes } = dissection;
  const destination = formatMac(bytes, offset);
  dissection.add({
    kind: "ethernet",
    offset,
    size: SIZE,
    source: formatMac(bytes, offset + 6),
    destination,
    etherType,
  });
  return kindOfEtherType(dissection, etherType);
}
