// SPDX-License-Identifier: Apache-2.0
import type { IpAddress } from "../address/ip-address.ts";
import { field, lengthField } from "../build/field.ts";
import type { PacketPart } from "../build/packet-part.ts";
import { PacketValueError } from "../errors.ts";
import type { Dissection } from "../parse/dissection.ts";
import type { LayerKind, LayerPlace } from "../parse/layer.ts";
import { IpProtocol } from "./ip-protocol.ts";
import { ipv6Bytes } from "./ipv6.ts";
import { nextHeaderNumber } from "./next-header-number.ts";
import { kindOfProtocol } from "./next-layer.ts";

/** Fields of an IPv6 routing header (RFC 8200 4.4). */
export interface RoutingFields {
  /** 0 source route (forbidden by RFC 5095), 2 mobility (RFC 6275), 4 segment routing (RFC 8754). Default 4. */
  readonly routingType?: number | undefined;
  /** Default 0. */
  readonly segmentsLeft?: number | undefined;
  /** All behind the first 4 bytes of the header: 4 bytes and a multiple of 8. Default 4 zeros. */
  readonly data?: Uint8Array | undefined;
  /** Default: what follows. */
  readonly nextHeader?: number | undefined;
  /** Length of the whole header in bytes, a multiple of 8. Default: as it is. */
  readonly headerLength?: number | undefined;
}

/** An IPv6 routing header as parsed. */
export interface RoutingLayer extends LayerPlace {
  readonly kind: "routing";
  readonly routingType: number;
  readonly segmentsLeft: number;
  readonly data: Uint8Array;
  readonly nextHeader: number;
  readonly headerLength: number;
}

/** Fields of a segment routing header (RFC 8754 2). */
export interface SegmentRoutingFields {
  /** In the order in which they are visited; the last is the final destination. */
  readonly segments: readonly IpAddress[];
  /** Default: all but the first, which is the IPv6 header's destination. */
  readonly segmentsLeft?: number | undefined;
  /** 16 bits. Default 0. */
  readonly tag?: number | undefined;
}

/**
 * An IPv6 routing header of any type.
 *
 * @throws {PacketValueError} when a field does not fit
 */
export function routing(fields: RoutingFields = {}): PacketPart {
  const { routingType = 4, segmentsLeft = 0, data = new Uint8Array(4) } = fields;
  if (data.length % 8 !== 4) {
    throw new PacketValueError(`routing: data has ${data.length} bytes, wanted 4 and a multiple of 8`);
  }
  const size = 4 + data.length;
  return {
    kind: "routing",
    size,
    protocol: IpProtocol.ROUTING,
    finalDestination: finalDestination(routingType, segmentsLeft, data),
    write(place) {
      const length = lengthField("routing", "headerLength", (fields.headerLength ?? size) - 8, 8, 8);
      place.setU16(0, (nextHeaderNumber("routing", fields.nextHeader, place) << 8) | length);
      const left = field("routing", "segmentsLeft", segmentsLeft, 8);
      place.setU16(2, (field("routing", "routingType", routingType, 8) << 8) | left);
      place.setBytes(4, data);
    },
  };
}

/**
 * A segment routing header (SRv6) without TLVs.
 *
 * @throws {PacketValueError} when a segment is no IPv6 address, there is none, or a field does not fit
 */
export function segmentRouting(fields: SegmentRoutingFields): PacketPart {
  const { segments } = fields;
  const data = new Uint8Array(4 + segments.length * 16);
  data[0] = field("routing", "index of the last segment", segments.length - 1, 8);
  new DataView(data.buffer).setUint16(2, field("routing", "tag", fields.tag ?? 0, 16));
  for (const [index, segment] of segments.toReversed().entries()) data.set(ipv6Bytes(segment), 4 + index * 16);
  return routing({ routingType: 4, segmentsLeft: fields.segmentsLeft ?? segments.length - 1, data });
}

/**
 * The address that upper checksums take for the destination's (RFC 8200 8.1), undefined when it is the IPv6 header's:
 * no segments left, or a type of which this is not known.
 */
export function finalDestination(routingType: number, segmentsLeft: number, data: Uint8Array): Uint8Array | undefined {
  if (segmentsLeft === 0 || data.length < 20) return undefined;
  if (routingType === 4) return data.subarray(4, 20);
  return routingType === 0 || routingType === 2 ? data.subarray(-16) : undefined;
}

/** Reads an IPv6 routing header. */
export function dissectRouting(dissection: Dissection): LayerKind | undefined {
  if (!dissection.has("routing", 8)) return undefined;
  const size = 8 + dissection.u8(1) * 8;
  if (!dissection.has("routing", size)) return undefined;
  const nextHeader = dissection.u8(0);
  dissection.add({
    kind: "routing",
    offset: dissection.offset,
    size,
    routingType: dissection.u8(2),
    segmentsLeft: dissection.u8(3),
    data: dissection.slice(4, size),
    nextHeader,
    headerLength: size,
  });
  return kindOfProtocol(dissection, nextHeader);
}
