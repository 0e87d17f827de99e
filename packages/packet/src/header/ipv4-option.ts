// SPDX-License-Identifier: Apache-2.0
import { field } from "../build/field.ts";
import { PacketValueError } from "../errors.ts";
import type { Dissection } from "../parse/dissection.ts";

/** An option of an IPv4 header (RFC 791 3.1); `data` is what follows type and length, empty for type 0 and 1. */
export interface Ipv4Option {
  /** Type with the copied flag and class: 1 no operation, 7 record route, 131 loose source route, 148 router alert. */
  readonly type: number;
  readonly data?: Uint8Array | undefined;
}

const END = 0;
const NO_OPERATION = 1;

/**
 * Bytes of a list of options, filled with zeros (end of list) to a multiple of 4.
 *
 * @throws {PacketValueError} when one does not fit its length field
 */
export function encodeIpv4Options(options: readonly Ipv4Option[]): Uint8Array {
  const bytes: number[] = [];
  for (const { type, data = new Uint8Array() } of options) {
    bytes.push(field("ipv4", "option type", type, 8));
    if (type > NO_OPERATION) bytes.push(field("ipv4", "option length", data.length + 2, 8), ...data);
    else if (data.length > 0)
      throw new PacketValueError(`ipv4: option ${type} holds no data, ${data.length} bytes given`);
  }
  while (bytes.length % 4 !== 0) bytes.push(END);
  return Uint8Array.from(bytes);
}

/** Reads options up to the end of list; a length that is wrong is a fault and ends them. */
export function dissectIpv4Options(dissection: Dissection, from: number, to: number): Ipv4Option[] {
  const options: Ipv4Option[] = [];
  for (let at = from; at < to; ) {
    const type = dissection.u8(at);
    if (type === END) break;
    if (type === NO_OPERATION) {
      options.push({ type, data: new Uint8Array() });
      at += 1;
      continue;
    }
    const length = at + 1 < to ? dissection.u8(at + 1) : 0;
    if (length < 2 || at + length > to) {
      dissection.malformed(
        "ipv4",
        dissection.offset + at,
        `option ${type}: length is ${length}, ${to - at} bytes left`,
      );
      break;
    }
    options.push({ type, data: dissection.slice(at + 2, at + length) });
    at += length;
  }
  return options;
}
