// SPDX-License-Identifier: Apache-2.0

import { type BitRange, bytesOfBits, readBits, readWideBits, writeBits } from "./bits.ts";
import { EncodeProblem, show } from "./encode-problem.ts";
import { integerRange, toInteger, toNumber } from "./integer.ts";
import type { ValueCodec } from "./value-codec.ts";

/** Integers: up to 4 bytes as numbers, 8 and 16 bytes as bigints. Undefined for a size that C has no integer of. */
export function integerCodec(size: number, signed: boolean, little: boolean): ValueCodec | undefined {
  const range = integerRange(size * 8, signed);
  const min = Number(range.min);
  const max = Number(range.max);
  const cells = 1;
  switch (size) {
    case 1:
      return {
        size,
        cells,
        read: signed ? (view, at) => view.getInt8(at) : (view, at) => view.getUint8(at),
        write: (value, view, at) => view.setUint8(at, toNumber(value, min, max, range)),
      };
    case 2:
      return {
        size,
        cells,
        read: signed ? (view, at) => view.getInt16(at, little) : (view, at) => view.getUint16(at, little),
        write: (value, view, at) => view.setUint16(at, toNumber(value, min, max, range), little),
      };
    case 4:
      return {
        size,
        cells,
        ...(!signed && { plain: "u32" }),
        read: signed ? (view, at) => view.getInt32(at, little) : (view, at) => view.getUint32(at, little),
        write: (value, view, at) => view.setUint32(at, toNumber(value, min, max, range), little),
      };
    case 8:
      return {
        size,
        cells,
        ...(!signed && { plain: "u64" }),
        read: signed ? (view, at) => view.getBigInt64(at, little) : (view, at) => view.getBigUint64(at, little),
        write: (value, view, at) => view.setBigUint64(at, BigInt.asUintN(64, toInteger(value, range)), little),
      };
    case 16: {
      const low = little ? 0 : 8;
      return {
        size,
        cells,
        read: (view, at) => {
          const high = signed ? view.getBigInt64(at + 8 - low, little) : view.getBigUint64(at + 8 - low, little);
          return (high << 64n) | view.getBigUint64(at + low, little);
        },
        write: (value, view, at) => {
          const integer = BigInt.asUintN(128, toInteger(value, range));
          view.setBigUint64(at + low, BigInt.asUintN(64, integer), little);
          view.setBigUint64(at + 8 - low, integer >> 64n, little);
        },
      };
    }
    default:
      return undefined;
  }
}

/** Bits of an integer: up to 32 as a number, more as a bigint, whatever type the field was declared with. */
export function bitfieldCodec(bits: BitRange, signed: boolean, little: boolean): ValueCodec {
  const range = integerRange(bits.size, signed, `${signed ? "a signed" : "a"} ${bits.size}-bit field`);
  return {
    size: bytesOfBits(bits),
    cells: 1,
    read:
      bits.size <= 32
        ? (view, at) => readBits(view, at, bits, signed, little)
        : (view, at) => readWideBits(view, at, bits, signed, little),
    write: (value, view, at) => writeBits(view, at, bits, toInteger(value, range), little),
  };
}

/** Booleans over the integer that holds them: anything but 0 is true. */
export function booleanCodec(integer: ValueCodec): ValueCodec {
  return {
    size: integer.size,
    cells: 1,
    // Loose on purpose: the integer may be a number or a bigint.
    read: (view, at) => Boolean(integer.read(view, at)),
    write: (value, view, at) => {
      if (typeof value !== "boolean") throw new EncodeProblem(`${show(value)} is not a boolean`);
      integer.write(value ? 1 : 0, view, at);
    },
  };
}

/** IEEE 754 numbers of 4 or 8 bytes; undefined for the sizes that JavaScript has no number for. */
export function floatCodec(size: number, little: boolean): ValueCodec | undefined {
  if (size !== 4 && size !== 8) return undefined;
  return {
    size,
    cells: 1,
    read: size === 4 ? (view, at) => view.getFloat32(at, little) : (view, at) => view.getFloat64(at, little),
    write: (value, view, at) => {
      if (typeof value !== "number") throw new EncodeProblem(`${show(value)} is not a number`);
      if (size === 4) view.setFloat32(at, value, little);
      else view.setFloat64(at, value, little);
    },
  };
}
