// SPDX-License-Identifier: Apache-2.0

import { type IpAddress, ipBytes } from "../address/ip-address.ts";
import { formatIpv4 } from "../address/ipv4-address.ts";
import { formatMac, type MacAddress, macBytes } from "../address/mac-address.ts";
import { field } from "../build/field.ts";
import type { PacketPart } from "../build/packet-part.ts";
import { PacketValueError } from "../errors.ts";
import type { Dissection } from "../parse/dissection.ts";
import type { LayerPlace } from "../parse/layer.ts";
import { EtherType } from "./ether-type.ts";

/** Fields of an ARP packet for IPv4 over Ethernet (RFC 826). */
export interface ArpFields {
  /** 1 request, 2 reply. Default 1. */
  readonly operation?: number | undefined;
  /** Default `02:00:00:00:00:01`. */
  readonly senderMac?: MacAddress | undefined;
  /** Default `192.0.2.1`. */
  readonly senderIp?: IpAddress | undefined;
  /** Default `00:00:00:00:00:00`, not known yet. */
  readonly targetMac?: MacAddress | undefined;
  /** Default `192.0.2.2`. */
  readonly targetIp?: IpAddress | undefined;
}

/** An ARP packet as parsed. */
export interface ArpLayer extends LayerPlace {
  readonly kind: "arp";
  readonly operation: number;
  readonly senderMac: string;
  readonly senderIp: string;
  readonly targetMac: string;
  readonly targetIp: string;
}

const SIZE = 28;
/** Hardware type Ethernet, protocol type IPv4, their address lengths. */
const ETHERNET_IPV4 = Uint8Array.of(0, 1, 8, 0, 6, 4);

/**
 * An ARP packet, 28 bytes.
 *
 * @throws {PacketValueError} when a field does not fit
 */
export function arp(fields: ArpFields = {}): PacketPart {
  const operation = field("arp", "operation", fields.operation ?? 1, 16);
  const senderMac = macBytes(fields.senderMac ?? "02:00:00:00:00:01");
  const senderIp = ipv4Only(fields.senderIp ?? "192.0.2.1");
  const targetMac = macBytes(fields.targetMac ?? "00:00:00:00:00:00");
  const targetIp = ipv4Only(fields.targetIp ?? "192.0.2.2");
  return {
    kind: "arp",
    size: SIZE,
    etherType: EtherType.ARP,
    write(place) {
      place.setBytes(0, ETHERNET_IPV4);
      place.setU16(6, operation);
      place.setBytes(8, senderMac);
      place.setBytes(14, senderIp);
      place.setBytes(18, targetMac);
      place.setBytes(24, targetIp);
    },
  };
}

/** Reads an ARP packet; one for other hardware or protocols stays payload. */
export function dissectArp(dissection: Dissection): undefined {
  if (!dissection.has("arp", SIZE)) return;
  if (ETHERNET_IPV4.some((byte, index) => dissection.u8(index) !== byte)) return;
  const { bytes, offset } = dissection;
  dissection.add({
    kind: "arp",
    offset,
    size: SIZE,
    operation: dissection.u16(6),
    senderMac: formatMac(bytes, offset + 8),
    senderIp: formatIpv4(bytes, offset + 14),
    targetMac: formatMac(bytes, offset + 18),
    targetIp: formatIpv4(bytes, offset + 24),
  });
}

function ipv4Only(address: IpAddress): Uint8Array {
  const bytes = ipBytes(address);
  if (bytes.length !== 4) throw new PacketValueError("arp: an IPv6 address was given, wanted IPv4");
  return bytes;
}
