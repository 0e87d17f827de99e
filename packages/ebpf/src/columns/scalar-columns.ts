// SPDX-License-Identifier: Apache-2.0

import { readBits, readWideBits } from "../codec/bits.ts";
import type { ScalarVector } from "../vector.ts";
import type { ColumnLayout } from "./column-layout.ts";
import { hostIsLittleEndian } from "./host-order.ts";
import type { ColumnDecoder, Records } from "./records.ts";

/*
 * Every loop reads typed arrays where the record's byte order is the machine's and the fields are aligned, which is
 * what ring buffers give, and a DataView otherwise. Both are single loads once V8's last compiler has seen them, but
 * a loop that is entered only once a batch waits long for that, and until then each DataView access is a call: 10 ns
 * in place of 1 ns.
 */

type Numbers = Int16Array | Int32Array | Uint32Array;
type Fill = (records: Records, out: Numbers) => void;

/** Integers, bitfields included; undefined when the layout's size and type do not go together. */
export function integerColumn(layout: ColumnLayout, little: boolean): ColumnDecoder | undefined {
  if (layout.type === "i64" || layout.type === "u64") return wideColumn(layout, little);
  const fill = fillFor(layout, little);
  if (fill === undefined) return undefined;
  switch (layout.type) {
    case "i16":
      return (records) => filled(records, fill, new Int16Array(records.count));
    case "i32":
      return (records) => filled(records, fill, new Int32Array(records.count));
    case "u32":
      return (records) => filled(records, fill, new Uint32Array(records.count));
    default:
      return undefined;
  }
}

function filled(records: Records, fill: Fill, values: Numbers): ScalarVector {
  fill(records, values);
  return { kind: "scalar", values };
}

function fillFor(layout: ColumnLayout, little: boolean): Fill | undefined {
  const { bits, offset, size, signed = false } = layout;
  if (bits !== undefined) {
    if (bits.size > 32) return undefined;
    return ({ view, starts, count }, out) => {
      for (let i = 0; i < count; i++) out[i] = readBits(view, (starts[i] as number) + offset, bits, signed, little);
    };
  }
  if (size === 1) return signed ? fillSignedBytes(offset) : fillBytes(offset);
  const fast = alignedFill(layout, little);
  const general = generalFill(layout, little);
  if (fast === undefined || general === undefined) return general;
  return (records, out) => (records.aligned ? fast(records, out) : general(records, out));
}

function fillBytes(offset: number): Fill {
  return ({ bytes, starts, count }, out) => {
    for (let i = 0; i < count; i++) out[i] = bytes[(starts[i] as number) + offset] as number;
  };
}

function fillSignedBytes(offset: number): Fill {
  return ({ bytes, starts, count }, out) => {
    for (let i = 0; i < count; i++) out[i] = ((bytes[(starts[i] as number) + offset] as number) << 24) >> 24;
  };
}

/** For aligned fields in this machine's byte order; undefined for others. */
function alignedFill({ offset, size, signed = false }: ColumnLayout, little: boolean): Fill | undefined {
  if (little !== hostIsLittleEndian() || offset % size !== 0) return undefined;
  const index = offset / size;
  switch (signed ? -size : size) {
    case 2:
      return ({ halves, starts, count }, out) => {
        for (let i = 0; i < count; i++) out[i] = halves[((starts[i] as number) >>> 1) + index] as number;
      };
    case -2:
      return ({ halves, starts, count }, out) => {
        for (let i = 0; i < count; i++) {
          out[i] = ((halves[((starts[i] as number) >>> 1) + index] as number) << 16) >> 16;
        }
      };
    case 4:
    case -4:
      // Stored into an Int32Array, the highest bit becomes the sign.
      return ({ words, starts, count }, out) => {
        for (let i = 0; i < count; i++) out[i] = words[((starts[i] as number) >>> 2) + index] as number;
      };
    default:
      return undefined;
  }
}

/** For fields anywhere, in either byte order. */
function generalFill({ offset, size, signed = false }: ColumnLayout, little: boolean): Fill | undefined {
  switch (signed ? -size : size) {
    case 2:
      return ({ view, starts, count }, out) => {
        for (let i = 0; i < count; i++) out[i] = view.getUint16((starts[i] as number) + offset, little);
      };
    case -2:
      return ({ view, starts, count }, out) => {
        for (let i = 0; i < count; i++) out[i] = view.getInt16((starts[i] as number) + offset, little);
      };
    case 4:
      return ({ view, starts, count }, out) => {
        for (let i = 0; i < count; i++) out[i] = view.getUint32((starts[i] as number) + offset, little);
      };
    case -4:
      return ({ view, starts, count }, out) => {
        for (let i = 0; i < count; i++) out[i] = view.getInt32((starts[i] as number) + offset, little);
      };
    default:
      return undefined;
  }
}

/** 64-bit integers, copied as halves: no bigint is made. */
function wideColumn(
  { bits, offset, size, signed = false, type }: ColumnLayout,
  little: boolean,
): ColumnDecoder | undefined {
  const make = (rows: number) => (type === "i64" ? new BigInt64Array(rows) : new BigUint64Array(rows));
  if (bits !== undefined) {
    return ({ view, starts, count }) => {
      const values = make(count);
      for (let i = 0; i < count; i++) {
        values[i] = readWideBits(view, (starts[i] as number) + offset, bits, signed, little);
      }
      return { kind: "scalar", values };
    };
  }
  if (size !== 8) return undefined;
  const native = little === hostIsLittleEndian();
  const first = native ? 0 : 1;
  const index = native && offset % 4 === 0 ? offset / 4 : undefined;
  return ({ aligned, words, view, starts, count }) => {
    const values = make(count);
    const halves = new Uint32Array(values.buffer);
    if (aligned && index !== undefined) {
      for (let i = 0; i < count; i++) {
        const at = ((starts[i] as number) >>> 2) + index;
        halves[2 * i] = words[at] as number;
        halves[2 * i + 1] = words[at + 1] as number;
      }
      return { kind: "scalar", values };
    }
    for (let i = 0; i < count; i++) {
      const at = (starts[i] as number) + offset;
      halves[2 * i + first] = view.getUint32(at, little);
      halves[2 * i + 1 - first] = view.getUint32(at + 4, little);
    }
    return { kind: "scalar", values };
  };
}

/** Booleans: anything but 0 is true. */
export function booleanColumn({ type, bits, offset, size }: ColumnLayout, little: boolean): ColumnDecoder | undefined {
  if (type !== "bool") return undefined;
  return ({ view, starts, count }) => {
    const values = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      const at = (starts[i] as number) + offset;
      let any = 0;
      if (bits === undefined) for (let byte = 0; byte < size; byte++) any |= view.getUint8(at + byte);
      else any = readBits(view, at, bits, false, little);
      values[i] = any === 0 ? 0 : 1;
    }
    return { kind: "scalar", values };
  };
}

/** `float` and `double`. */
export function floatColumn({ type, offset, size }: ColumnLayout, little: boolean): ColumnDecoder | undefined {
  if (type !== "f64" || (size !== 4 && size !== 8)) return undefined;
  return ({ view, starts, count }) => {
    const values = new Float64Array(count);
    if (size === 4) {
      for (let i = 0; i < count; i++) values[i] = view.getFloat32((starts[i] as number) + offset, little);
    } else {
      for (let i = 0; i < count; i++) values[i] = view.getFloat64((starts[i] as number) + offset, little);
    }
    return { kind: "scalar", values };
  };
}

/** Ports: 16 bits in network order. */
export function portColumn({ type, offset, size }: ColumnLayout): ColumnDecoder | undefined {
  if (type !== "i32" || size !== 2) return undefined;
  return ({ view, starts, count }) => {
    const values = new Int32Array(count);
    for (let i = 0; i < count; i++) values[i] = view.getUint16((starts[i] as number) + offset, false);
    return { kind: "scalar", values };
  };
}

/**
 * Nanoseconds of the engine's clock as whole microseconds since 1970, rounded down. Nanoseconds are past what a
 * number holds exactly (2^53 of them are 104 days), so the halves are divided on their own:
 * 2^32 = 4294967 * 1000 + 296, and no step leaves the exact numbers while the clock is below 2^62.
 */
export function timeColumn({ type, offset, size }: ColumnLayout, little: boolean): ColumnDecoder | undefined {
  if (type !== "time" || size !== 8) return undefined;
  const low = little ? 0 : 4;
  const index = little && hostIsLittleEndian() && offset % 4 === 0 ? offset / 4 : undefined;
  return ({ aligned, words, view, starts, count, offsetMicroseconds, offsetRest }) => {
    const values = new Float64Array(count);
    if (aligned && index !== undefined) {
      for (let i = 0; i < count; i++) {
        const at = ((starts[i] as number) >>> 2) + index;
        const high = words[at + 1] as number;
        const rest = high * 296 + (words[at] as number) + offsetRest;
        values[i] = offsetMicroseconds + high * 4_294_967 + Math.floor(rest / 1000);
      }
      return { kind: "scalar", values };
    }
    for (let i = 0; i < count; i++) {
      const at = (starts[i] as number) + offset;
      const high = view.getUint32(at + 4 - low, little);
      const rest = high * 296 + view.getUint32(at + low, little) + offsetRest;
      values[i] = offsetMicroseconds + high * 4_294_967 + Math.floor(rest / 1000);
    }
    return { kind: "scalar", values };
  };
}
