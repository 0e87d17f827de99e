// SPDX-License-Identifier: Apache-2.0

import type { Codec } from "../codec.ts";
import { InvalidValueError } from "../errors.ts";

/**
 * The value of a per-CPU map: one value a possible CPU, each in a slot of its size rounded up to 8 bytes
 * (kernel/bpf/syscall.c, bpf_map_value_size). `encode` takes an array of exactly `cpus` values.
 */
export function perCpuCodec<T>(inner: Codec<T>, cpus: number): Codec<T[]> {
  const slot = Math.ceil(inner.size / 8) * 8;
  return {
    size: slot * cpus,
    decode: (bytes, offset) => Array.from({ length: cpus }, (_, cpu) => inner.decode(bytes, offset + cpu * slot)),
    encode: (values, bytes, offset) => {
      if (!Array.isArray(values)) throw new InvalidValueError(`an array of ${cpus} values, one a CPU, is wanted`);
      if (values.length !== cpus) {
        throw new InvalidValueError(`${values.length} values given, ${cpus} wanted: one a possible CPU`);
      }
      bytes.fill(0, offset, offset + slot * cpus);
      for (const [cpu, value] of values.entries()) {
        try {
          inner.encode(value, bytes, offset + cpu * slot);
        } catch (cause) {
          if (!(cause instanceof InvalidValueError)) throw cause;
          throw new InvalidValueError(`CPU ${cpu}: ${cause.message}`, { cause });
        }
      }
    },
  };
}
