// SPDX-License-Identifier: Apache-2.0
import { type IpAddress, ipBytes } from "../address/ip-address.ts";
import { formatIpv4 } from "../address/ipv4-address.ts";
import { field, lengthField } from "../build/field.ts";
import type { PacketPart, PartPlace } from "../build/packet-part.ts";
import { PacketValueError } from "../errors.ts";
import type { Dissection } from "../parse/dissection.ts";
import type { LayerKind, LayerPlace } from "../parse/layer.ts";
import { EtherType } from "./ether-type.ts";
import { IpProtocol } from "./ip-protocol.ts";
import { dissectIpv4Options, encodeIpv4Options, type Ipv4Option } from "./ipv4-option.ts";
import { kindOfProtocol } from "./next-layer.ts";

/** Fields of an IPv4 header (RFC 791). */
export interface Ipv4Fields {
  /** Default `192.0.2.1` (TEST-NET-1). */
  readonly source?: IpAddress | undefined;
  /** Default `198.51.100.1` (TEST-NET-2). */
  readonly destination?: IpAddress | undefined;
  /** Default 64. */
  readonly ttl?: number | undefined;
  /** Default: what follows, 253 (RFC 3692) for a bare payload. */
  readonly protocol?: number | undefined;
  /** Differentiated services code point, 6 bits (RFC 2474). Default 0. */
  readonly dscp?: number | undefined;
  /** Explicit congestion notification, 2 bits (RFC 3168). Default 0. */
  readonly ecn?: number | undefined;
  /** Default 0. */
  readonly identification?: number | undefined;
  /** The flag that RFC 791 reserves. Default false. */
  readonly reservedFlag?: boolean | undefined;
  /** Default false. */
  readonly dontFragment?: boolean | undefined;
  /** Default false. */
  readonly moreFragments?: boolean | undefined;
  /** In bytes, a multiple of 8. Default 0. */
  readonly fragmentOffset?: number | undefined;
  /** Default none. */
  readonly options?: readonly Ipv4Option[] | undefined;
  /** Header length in bytes, a multiple of 4. Default: 20 and the options. */
  readonly headerLength?: number | undefined;
  /** Length of header and payload in bytes. Default: all to the end of the packet. */
  readonly totalLength?: number | undefined;
  /** Default: the right one (over all header bytes that are there). */
  readonly checksum?: number | undefined;
}

/** An IPv4 header as parsed. */
export interface Ipv4Layer extends LayerPlace {
  readonly kind: "ipv4";
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  readonly protocol: number;
  readonly dscp: number;
  readonly ecn: number;
  readonly identification: number;
  readonly reservedFlag: boolean;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  readonly fragmentOffset: number;
  readonly options: readonly Ipv4Option[];
  readonly headerLength: number;
  readonly totalLength: number;
  readonly checksum: number;
}

const SIZE = 20;

/**
 * An IPv4 header with its options.
 *
 * @throws {PacketValueError} when a field does not fit, or an address is not of IPv4
 */
export function ipv4(fields: Ipv4Fields = {}): PacketPart {
  const source = ipv4Bytes(fields.source ?? "192.0.2.1");
  const destination = ipv4Bytes(fields.destination ?? "198.51.100.1");
  const options = encodeIpv4Options(fields.options ?? []);
  const size = SIZE + options.length;
  return {
    kind: "ipv4",
    size,
    etherType: EtherType.IPV4,
    protocol: IpProtocol.IPV4,
    addresses: { source, destination },
    write(place) {
      writeFixed(place, fields, size);
      place.setBytes(12, source);
      place.setBytes(16, destination);
      place.setBytes(SIZE, options);
      place.setU16(10, field("ipv4", "checksum", fields.checksum ?? place.checksum(size), 16));
    },
  };
}

/** The first 10 bytes. */
function writeFixed(place: PartPlace, fields: Ipv4Fields, size: number): void {
  const words = lengthField("ipv4", "headerLength", fields.headerLength ?? size, 4, 4);
  const dscp = field("ipv4", "dscp", fields.dscp ?? 0, 6);
  const ecn = field("ipv4", "ecn", fields.ecn ?? 0, 2);
  place.setU16(0, 0x4000 | (words << 8) | (dscp << 2) | ecn);
  place.setU16(2, field("ipv4", "totalLength", fields.totalLength ?? place.length, 16));
  place.setU16(4, field("ipv4", "identification", fields.identification ?? 0, 16));
  const flags =
    (fields.reservedFlag === true ? 0x8000 : 0) |
    (fields.dontFragment === true ? 0x4000 : 0) |
    (fields.moreFragments === true ? 0x2000 : 0);
  place.setU16(6, flags | lengthField("ipv4", "fragmentOffset", fields.fragmentOffset ?? 0, 8, 13));
  const protocol = fields.protocol ?? place.next?.protocol ?? IpProtocol.EXPERIMENTAL;
  place.setU16(8, (field("ipv4", "ttl", fields.ttl ?? 64, 8) << 8) | field("ipv4", "protocol", protocol, 8));
}

/** Reads an IPv4 header; what follows a later fragment's is payload. */
export function dissectIpv4(dissection: Dissection): LayerKind | undefined {
  if (!dissection.has("ipv4", SIZE)) return undefined;
  const { bytes, offset } = dissection;
  const first = dissection.u8(0);
  if (first >>> 4 !== 4) return dissection.malformed("ipv4", offset, `version is ${first >>> 4}`);
  const headerLength = (first & 0xf) * 4;
  if (headerLength < SIZE) return dissection.malformed("ipv4", offset, `header length is ${headerLength} bytes`);
  if (!dissection.has("ipv4", headerLength)) return undefined;
  const totalLength = dissection.u16(2);
  // 0 is what segmentation offload leaves: the length is that of the bytes.
  if (totalLength !== 0 && totalLength < headerLength) {
    return dissection.malformed("ipv4", offset + 2, `total length is ${totalLength}, the header has ${headerLength}`);
  }
  if (totalLength !== 0) dissection.limit("ipv4", totalLength);
  const fragment = dissection.u16(6);
  const fragmentOffset = (fragment & 0x1fff) * 8;
  const moreFragments = (fragment & 0x2000) !== 0;
  const protocol = dissection.u8(9);
  dissection.add({
    kind: "ipv4",
    offset,
    size: headerLength,
    source: formatIpv4(bytes, offset + 12),
    destination: formatIpv4(bytes, offset + 16),
    ttl: dissection.u8(8),
    protocol,
    dscp: dissection.u8(1) >>> 2,
    ecn: dissection.u8(1) & 3,
    identification: dissection.u16(4),
    reservedFlag: (fragment & 0x8000) !== 0,
    dontFragment: (fragment & 0x4000) !== 0,
    moreFragments,
    fragmentOffset,
    options: dissectIpv4Options(dissection, SIZE, headerLength),
    headerLength,
    totalLength,
    checksum: dissection.u16(10),
  });
  dissection.ipVersion = 4;
  dissection.fragmented ||= moreFragments || fragmentOffset > 0;
  return fragmentOffset > 0 ? undefined : kindOfProtocol(dissection, protocol);
}

function ipv4Bytes(address: IpAddress): Uint8Array {
  const bytes = ipBytes(address);
  if (bytes.length !== 4) throw new PacketValueError("ipv4: an IPv6 address was given, wanted IPv4");
  return bytes;
}
