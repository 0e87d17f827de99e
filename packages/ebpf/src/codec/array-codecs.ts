// SPDX-License-Identifier: Apache-2.0

import { EncodeProblem, show } from "./encode-problem.ts";
import type { ValueCodec } from "./value-codec.ts";

/**
 * `char[length]` as text: UTF-8 up to the first NUL. All of the array may be text, as in the kernel's
 * non-terminated strings; bytes that are not UTF-8 are read as U+FFFD.
 */
export function textCodec(length: number): ValueCodec {
  // ignoreBOM keeps a leading U+FEFF, which the kernel does not treat as a mark either.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const encoder = new TextEncoder();
  return {
    size: length,
    cells: 1,
    read: (view, at) => {
      let end = at;
      while (end < at + length && view.getUint8(end) !== 0) end++;
      return decoder.decode(new Uint8Array(view.buffer, at, end - at));
    },
    write: (value, view, at) => {
      if (typeof value !== "string") throw new EncodeProblem(`${show(value)} is not a string`);
      if (value.includes("\0")) throw new EncodeProblem(`${show(value)} holds a NUL, where the text would end`);
      const bytes = encoder.encode(value);
      if (bytes.length > length) {
        throw new EncodeProblem(`${show(value)} is ${bytes.length} bytes of UTF-8, char[${length}] holds ${length}`);
      }
      new Uint8Array(view.buffer, at, length).set(bytes);
    },
  };
}

/** Bytes as they are. */
export function bytesCodec(length: number): ValueCodec {
  return {
    size: length,
    cells: 1,
    read: (view, at) => new Uint8Array(view.buffer, at, length).slice(),
    write: (value, view, at) => {
      if (!(value instanceof Uint8Array)) throw new EncodeProblem(`${show(value)} is not a Uint8Array`);
      if (value.length !== length) throw new EncodeProblem(`${value.length} bytes given, ${length} wanted`);
      new Uint8Array(view.buffer, at, length).set(value);
    },
  };
}

/** Any other array, as an array of exactly its length. */
export function arrayCodec(element: ValueCodec, length: number): ValueCodec {
  const step = element.size;
  return {
    size: step * length,
    cells: 1 + element.cells * length,
    read: (view, at) => {
      const values = new Array<unknown>(length);
      for (let index = 0; index < length; index++) values[index] = element.read(view, at + index * step);
      return values;
    },
    write: (value, view, at) => {
      if (!Array.isArray(value)) throw new EncodeProblem(`${show(value)} is not an array`);
      if (value.length !== length) throw new EncodeProblem(`${value.length} elements given, ${length} wanted`);
      for (let index = 0; index < length; index++) {
        try {
          element.write(value[index], view, at + index * step);
        } catch (error) {
          throw error instanceof EncodeProblem ? error.within(`[${index}]`) : error;
        }
      }
    },
  };
}
