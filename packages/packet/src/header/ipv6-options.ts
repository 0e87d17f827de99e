// SPDX-License-Identifier: Apache-2.0
import { field, lengthField } from "../build/field.ts";
import type { PacketPart } from "../build/packet-part.ts";
import { PacketValueError } from "../errors.ts";
import type { Dissection } from "../parse/dissection.ts";
import type { LayerKind, LayerPlace } from "../parse/layer.ts";
import { IpProtocol } from "./ip-protocol.ts";
import { nextHeaderNumber } from "./next-header-number.ts";
import { kindOfProtocol } from "./next-layer.ts";

/** An option of a hop-by-hop or destination options header (RFC 8200 4.2); type 0 is Pad1, 1 PadN. */
export interface Ipv6Option {
  readonly type: number;
  /** What follows type and length; nothing for Pad1. */
  readonly data?: Uint8Array | undefined;
}

/** Fields of a hop-by-hop or destination options header (RFC 8200 4.3, 4.6). */
export interface Ipv6OptionsFields {
  /** Default none; padding to a multiple of 8 bytes is added behind them. */
  readonly options?: readonly Ipv6Option[] | undefined;
  /** Default: what follows. */
  readonly nextHeader?: number | undefined;
  /** Length of the whole header in bytes, a multiple of 8. Default: as it is. */
  readonly headerLength?: number | undefined;
}

/** A hop-by-hop or destination options header as parsed; padding is among its options. */
export interface Ipv6OptionsLayer extends LayerPlace {
  readonly kind: "destination-options" | "hop-by-hop";
  readonly options: readonly Ipv6Option[];
  readonly nextHeader: number;
  readonly headerLength: number;
}

const PAD1 = 0;

/**
 * A hop-by-hop options header, to stand right behind `ipv6()`.
 *
 * @throws {PacketValueError} when a field does not fit
 */
export function hopByHop(fields: Ipv6OptionsFields = {}): PacketPart {
  return optionsHeader("hop-by-hop", IpProtocol.HOP_BY_HOP, fields);
}

/**
 * A destination options header.
 *
 * @throws {PacketValueError} when a field does not fit
 */
export function destinationOptions(fields: Ipv6OptionsFields = {}): PacketPart {
  return optionsHeader("destination-options", IpProtocol.DESTINATION_OPTIONS, fields);
}

function optionsHeader(kind: Ipv6OptionsLayer["kind"], protocol: number, fields: Ipv6OptionsFields): PacketPart {
  const options = encodeOptions(kind, fields.options ?? []);
  const size = options.length + 2;
  return {
    kind,
    size,
    protocol,
    write(place) {
      const length = lengthField(kind, "headerLength", (fields.headerLength ?? size) - 8, 8, 8);
      place.setU16(0, (nextHeaderNumber(kind, fields.nextHeader, place) << 8) | length);
      place.setBytes(2, options);
    },
  };
}

/** Bytes of the options, padded so that they end on a multiple of 8 with the two bytes before them. */
function encodeOptions(kind: string, options: readonly Ipv6Option[]): Uint8Array {
  const bytes: number[] = [];
  for (const { type, data = new Uint8Array() } of options) {
    bytes.push(field(kind, "option type", type, 8));
    if (type !== PAD1) bytes.push(field(kind, "option length", data.length, 8), ...data);
    else if (data.length > 0) throw new PacketValueError(`${kind}: Pad1 holds no data, ${data.length} bytes given`);
  }
  const missing = (8 - ((bytes.length + 2) % 8)) % 8;
  if (missing === 1) bytes.push(PAD1);
  if (missing > 1) bytes.push(1, missing - 2, ...new Uint8Array(missing - 2));
  return Uint8Array.from(bytes);
}

/** Reads a hop-by-hop options header. */
export function dissectHopByHop(dissection: Dissection): LayerKind | undefined {
  return dissectOptions(dissection, "hop-by-hop");
}

/** Reads a destination options header. */
export function dissectDestinationOptions(dissection: Dissection): LayerKind | undefined {
  return dissectOptions(dissection, "destination-options");
}

function dissectOptions(dissection: Dissection, kind: Ipv6OptionsLayer["kind"]): LayerKind | undefined {
  if (!dissection.has(kind, 8)) return undefined;
  const size = 8 + dissection.u8(1) * 8;
  if (!dissection.has(kind, size)) return undefined;
  const nextHeader = dissection.u8(0);
  const options: Ipv6Option[] = [];
  for (let at = 2; at < size; ) {
    const type = dissection.u8(at);
    const length = type === PAD1 ? -1 : at + 1 < size ? dissection.u8(at + 1) : size;
    if (at + 2 + length > size) {
      dissection.malformed(kind, dissection.offset + at, `option ${type} is longer than the ${size - at} bytes left`);
      break;
    }
    options.push({ type, data: type === PAD1 ? new Uint8Array() : dissection.slice(at + 2, at + 2 + length) });
    at += 2 + length;
  }
  dissection.add({ kind, offset: dissection.offset, size, options, nextHeader, headerLength: size });
  return kindOfProtocol(dissection, nextHeader);
}
