// SPDX-License-Identifier: Apache-2.0

/** What a function of the runtime is translated for: a map's shape. Bytes, but for the last three. */
export interface MapConstants {
  readonly keySize: number;
  readonly valueSize: number;
  /** The value's size rounded up to 8. */
  readonly stride: number;
  readonly flags: number;
  readonly maxEntries: number;
  /** Workers: values of a per-CPU map. */
  readonly cpus: number;
  /** Of one map, where the function is for it alone: the struct's `mask`, and the addresses of its buckets and elements. */
  readonly place?: { readonly mask: number; readonly buckets: number; readonly elements: number };
}

/** A function written in C, as eBPF: arguments in r1 to r5, result in r0. See `bpf/runtime.h`. */
export interface RuntimeFunction {
  /** As in C. */
  readonly name: string;
  /** Its instructions, with those of the functions that it calls behind them. */
  readonly instructions: Uint8Array;
  /** For functions of maps; undefined for helpers. */
  readonly constants: MapConstants | undefined;
}

/** Functions of the runtime, called from JavaScript: arguments and results are the lower 32 bits, results unsigned. */
export type RuntimeCall = (a?: number, b?: number, c?: number, d?: number, e?: number) => number;
