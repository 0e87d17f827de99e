// SPDX-License-Identifier: Apache-2.0
import { field } from "../build/field.ts";
import type { PartPlace } from "../build/packet-part.ts";
import { IpProtocol } from "./ip-protocol.ts";

/**
 * The next-header number of an IPv6 or extension header: the one given, or that of what follows.
 *
 * @throws {PacketValueError} when the number given does not fit 8 bits
 */
export function nextHeaderNumber(layer: string, given: number | undefined, place: PartPlace): number {
  if (given !== undefined) return field(layer, "nextHeader", given, 8);
  if (place.next === undefined) return IpProtocol.NO_NEXT_HEADER;
  return place.next.protocol ?? IpProtocol.EXPERIMENTAL;
}
