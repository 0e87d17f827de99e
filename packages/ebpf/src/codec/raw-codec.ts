// SPDX-License-Identifier: Apache-2.0

import type { Codec } from "../codec.ts";
import { InvalidValueError } from "../errors.ts";

/**
 * Bytes as they are, for maps without BTF. `decode` copies; `encode` takes exactly `size` bytes and throws
 * InvalidValueError for any other number.
 */
export function rawCodec(size: number): Codec<Uint8Array> {
  return {
    size,
    // Not bytes.slice(): on a Node Buffer that would share the memory.
    decode: (bytes, offset) => new Uint8Array(bytes.subarray(offset, offset + size)),
    encode: (value, bytes, offset) => {
      if (!(value instanceof Uint8Array)) throw new InvalidValueError(`a Uint8Array of ${size} bytes is wanted`);
      if (value.length !== size) throw new InvalidValueError(`${value.length} bytes given, ${size} wanted`);
      bytes.set(value, offset);
    },
  };
}
