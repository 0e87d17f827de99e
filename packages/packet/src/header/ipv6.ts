// SPDX-License-Identifier: Apache-2.0
import { type IpAddress, ipBytes } from "../address/ip-address.ts";
import { formatIpv6 } from "../address/ipv6-address.ts";
import { field } from "../build/field.ts";
import type { PacketPart } from "../build/packet-part.ts";
import { PacketValueError } from "../errors.ts";
import type { Dissection } from "../parse/dissection.ts";
import type { LayerKind, LayerPlace } from "../parse/layer.ts";
import { EtherType } from "./ether-type.ts";
import { IpProtocol } from "./ip-protocol.ts";
import { nextHeaderNumber } from "./next-header-number.ts";
import { kindOfProtocol } from "./next-layer.ts";

/** Fields of an IPv6 header (RFC 8200). */
export interface Ipv6Fields {
  /** Default `2001:db8::1`. */
  readonly source?: IpAddress | undefined;
  /** Default `2001:db8::2`. */
  readonly destination?: IpAddress | undefined;
  /** Default 64. */
  readonly hopLimit?: number | undefined;
  /** Default: what follows, 253 (RFC 3692) for a bare payload, 59 for nothing. */
  readonly nextHeader?: number | undefined;
  /** Differentiated services code point, 6 bits (RFC 2474). Default 0. */
  readonly dscp?: number | undefined;
  /** Explicit congestion notification, 2 bits (RFC 3168). Default 0. */
  readonly ecn?: number | undefined;
  /** 20 bits (RFC 6437). Default 0. */
  readonly flowLabel?: number | undefined;
  /** Bytes behind this header, extension headers included. Default: all to the end of the packet. */
  readonly payloadLength?: number | undefined;
}

/** An IPv6 header as parsed. */
export interface Ipv6Layer extends LayerPlace {
  readonly kind: "ipv6";
  readonly source: string;
  readonly destination: string;
  readonly hopLimit: number;
  readonly nextHeader: number;
  readonly dscp: number;
  readonly ecn: number;
  readonly flowLabel: number;
  readonly payloadLength: number;
}

const SIZE = 40;

/**
 * An IPv6 header, 40 bytes; extension headers are parts of their own.
 *
 * @throws {PacketValueError} when a field does not fit, or an address is not of IPv6
 */
export function ipv6(fields: Ipv6Fields = {}): PacketPart {
  const source = ipv6Bytes(fields.source ?? "2001:db8::1");
  const destination = ipv6Bytes(fields.destination ?? "2001:db8::2");
  return {
    kind: "ipv6",
    size: SIZE,
    etherType: EtherType.IPV6,
    protocol: IpProtocol.IPV6,
    addresses: { source, destination },
    write(place) {
      const dscp = field("ipv6", "dscp", fields.dscp ?? 0, 6);
      const ecn = field("ipv6", "ecn", fields.ecn ?? 0, 2);
      place.setU32(
        0,
        (0x6000_0000 | (dscp << 22) | (ecn << 20) | field("ipv6", "flowLabel", fields.flowLabel ?? 0, 20)) >>> 0,
      );
      place.setU16(4, field("ipv6", "payloadLength", fields.payloadLength ?? place.length - SIZE, 16));
      const nextHeader = nextHeaderNumber("ipv6", fields.nextHeader, place);
      place.setU16(6, (nextHeader << 8) | field("ipv6", "hopLimit", fields.hopLimit ?? 64, 8));
      place.setBytes(8, source);
      place.setBytes(24, destination);
    },
  };
}

/** Reads an IPv6 header. */
export function dissectIpv6(dissection: Dissection): LayerKind | undefined {
  if (!dissection.has("ipv6", SIZE)) return undefined;
  const { bytes, offset } = dissection;
  const first = dissection.u32(0);
  if (first >>> 28 !== 6) return dissection.malformed("ipv6", offset, `version is ${first >>> 28}`);
  const payloadLength = dissection.u16(4);
  // 0 stands before a jumbo payload option (RFC 2675) and after segmentation offload: the length is that of the bytes.
  const nextHeader = dissection.u8(6);
  if (payloadLength !== 0 || nextHeader === IpProtocol.NO_NEXT_HEADER) dissection.limit("ipv6", SIZE + payloadLength);
  dissection.add({
    kind: "ipv6",
    offset,
    size: SIZE,
    source: formatIpv6(bytes, offset + 8),
    destination: formatIpv6(bytes, offset + 24),
    hopLimit: dissection.u8(7),
    nextHeader,
    dscp: (first >>> 22) & 0x3f,
    ecn: (first >>> 20) & 3,
    flowLabel: first & 0xfffff,
    payloadLength,
  });
  dissection.ipVersion = 6;
  return kindOfProtocol(dissection, nextHeader);
}

/** Bytes of an address of IPv6. */
export function ipv6Bytes(address: IpAddress): Uint8Array {
  const bytes = ipBytes(address);
  if (bytes.length !== 16) throw new PacketValueError("ipv6: an IPv4 address was given, wanted IPv6");
  return bytes;
}
