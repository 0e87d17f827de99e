// SPDX-License-Identifier: Apache-2.0
import { field } from "../build/field.ts";
import type { Dissection } from "../parse/dissection.ts";

/**
 * An option of a TCP header: `nop` and `mss` (RFC 9293 3.2), `window-scale` and `timestamps` (RFC 7323),
 * `sack-permitted` and `sack` (RFC 2018), with blocks of a first sequence number and the one behind the last.
 * `other` is any with a code and a length; `raw` is bytes as they are, which is how what cannot be read is kept.
 */
export type TcpOption =
  | { readonly kind: "mss"; readonly value: number }
  | { readonly kind: "nop" }
  | { readonly kind: "other"; readonly code: number; readonly data: Uint8Array }
  | { readonly kind: "raw"; readonly data: Uint8Array }
  | { readonly kind: "sack"; readonly blocks: readonly (readonly [from: number, to: number])[] }
  | { readonly kind: "sack-permitted" }
  | { readonly kind: "timestamps"; readonly value: number; readonly echo: number }
  | { readonly kind: "window-scale"; readonly shift: number };

const END = 0;
const NOP = 1;
const MSS = 2;
const WINDOW_SCALE = 3;
const SACK_PERMITTED = 4;
const SACK = 5;
const TIMESTAMPS = 8;

/**
 * Bytes of a list of options, filled with zeros (end of list) to a multiple of 4.
 *
 * @throws {PacketValueError} when a value does not fit
 */
export function encodeTcpOptions(options: readonly TcpOption[]): Uint8Array {
  const bytes = options.flatMap(encodeOption);
  while (bytes.length % 4 !== 0) bytes.push(END);
  return Uint8Array.from(bytes);
}

function encodeOption(option: TcpOption): number[] {
  switch (option.kind) {
    case "nop":
      return [NOP];
    case "mss":
      return [MSS, 4, ...wide("mss", option.value, 2)];
    case "window-scale":
      return [WINDOW_SCALE, 3, field("tcp", "window scale", option.shift, 8)];
    case "sack-permitted":
      return [SACK_PERMITTED, 2];
    case "sack":
      return [
        SACK,
        2 + option.blocks.length * 8,
        ...option.blocks.flat().flatMap((edge) => wide("sack edge", edge, 4)),
      ];
    case "timestamps":
      return [TIMESTAMPS, 10, ...wide("timestamp", option.value, 4), ...wide("echoed timestamp", option.echo, 4)];
    case "other":
      return [
        field("tcp", "option code", option.code, 8),
        field("tcp", "option length", option.data.length + 2, 8),
        ...option.data,
      ];
    case "raw":
      return [...option.data];
  }
}

/** Big-endian bytes of a number. */
function wide(name: string, value: number, size: 2 | 4): number[] {
  field("tcp", name, value, size * 8);
  const low = [(value >>> 8) & 0xff, value & 0xff];
  return size === 2 ? low : [value >>> 24, (value >>> 16) & 0xff, ...low];
}

/** Reads options up to the end of list; one whose length is wrong is a fault, and it and all behind it `raw`. */
export function dissectTcpOptions(dissection: Dissection, from: number, to: number): TcpOption[] {
  const options: TcpOption[] = [];
  for (let at = from; at < to; ) {
    const code = dissection.u8(at);
    if (code === END) break;
    if (code === NOP) {
      options.push({ kind: "nop" });
      at += 1;
      continue;
    }
    const length = at + 1 < to ? dissection.u8(at + 1) : 0;
    if (length < 2 || at + length > to) {
      dissection.malformed("tcp", dissection.offset + at, `option ${code}: length is ${length}, ${to - at} bytes left`);
      options.push({ kind: "raw", data: dissection.slice(at, to) });
      break;
    }
    options.push(readOption(dissection, code, at, length));
    at += length;
  }
  return options;
}

/** An option with a length; one of a known code with a length that is not its own is `other`. */
function readOption(dissection: Dissection, code: number, at: number, length: number): TcpOption {
  if (code === MSS && length === 4) return { kind: "mss", value: dissection.u16(at + 2) };
  if (code === WINDOW_SCALE && length === 3) return { kind: "window-scale", shift: dissection.u8(at + 2) };
  if (code === SACK_PERMITTED && length === 2) return { kind: "sack-permitted" };
  if (code === TIMESTAMPS && length === 10) {
    return { kind: "timestamps", value: dissection.u32(at + 2), echo: dissection.u32(at + 6) };
  }
  if (code === SACK && length % 8 === 2) {
    const blocks: [number, number][] = [];
    for (let edge = at + 2; edge < at + length; edge += 8) {
      blocks.push([dissection.u32(edge), dissection.u32(edge + 4)]);
    }
    return { kind: "sack", blocks };
  }
  return { kind: "other", code, data: dissection.slice(at + 2, at + length) };
}
