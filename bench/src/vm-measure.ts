// SPDX-License-Identifier: Apache-2.0

import type { BpfMap, Collection } from "@skep/ebpf";
import type { Measurement } from "./benchmark.ts";

/** Packets of the set; see build_packets in bench/bpf/vm-kernels.bpf.h. */
export const packetCount = 64;

/** `struct packet` of bench/bpf/vm-kernels.bpf.h: the packet's length, then its bytes. */
const packetStride = 128;
const lengthSize = 4;

/** Keys of the map that `increment` goes through. */
export const keyCount = 1000;

/** Parts of a measurement, of which the fastest counts: what else runs on the machine only adds to the others. */
export const parts = 10;

/**
 * What one of `passes` passes, a multiple of {@link parts}, took in the fastest part, in units of so many nanoseconds, and what
 * the last of them gave. A quarter as many go before, as in C: all other cases ran since this one did.
 */
export function timed(passes: number, unit: number, pass: () => number): Measurement {
  for (let i = 0; i < passes >> 2; i++) pass();
  let checksum = 0;
  let fastest = Number.POSITIVE_INFINITY;
  for (let part = 0; part < parts; part++) {
    const start = performance.now();
    for (let i = 0; i < passes / parts; i++) checksum = pass();
    fastest = Math.min(fastest, performance.now() - start);
  }
  return { value: (fastest * 1e6) / (passes / parts) / unit, checksum: checksum >>> 0 };
}

/** The packets that `prepare_packets` has left in a collection's memory. */
export function packetsOf(collection: Collection): Uint8Array[] {
  const { map, offset } = collection.variable("packets").spec;
  using memory = collection.map(map).memory();
  const { bytes } = memory;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: packetCount }, (_, i) => {
    const at = offset + i * packetStride;
    return bytes.slice(at + lengthSize, at + lengthSize + view.getUint32(at, true));
  });
}

/** Calls a function once for each context, and keeps what it returns. */
export type CallLoop = (
  call: (context: number, length: number) => number,
  contexts: Uint32Array,
  verdicts: Uint32Array,
) => void;

/** A loop of its own for each function: V8 calls WebAssembly directly from a place that knows one function only. */
export function callLoop(): CallLoop {
  return new Function(
    ...["call", "contexts", "verdicts"],
    "for (let i = 0; i < contexts.length; i++) verdicts[i] = call(contexts[i], 0);",
  ) as CallLoop;
}

/** The number that both sides make of what became of each packet. */
export function sumOfVerdicts(verdicts: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < packetCount; i++) sum += (i + 1) * (verdicts[i] ?? 0);
  return sum;
}

/** Runs `run` and throws unless all counters together have grown by one a key and run of the program. */
export function requireIncrements(counters: BpfMap<number, bigint>, runs: number, run: () => Measurement): Measurement {
  const before = sumOf(counters);
  const measurement = run();
  const grown = sumOf(counters) - before;
  if (grown !== runs * keyCount) {
    throw new Error(`the counters grew by ${grown} in ${runs} runs, wanted ${runs * keyCount}`);
  }
  return measurement;
}

function sumOf(counters: BpfMap<number, bigint>): number {
  let sum = 0;
  for (const [, value] of counters.entriesBatch()) sum += Number(value);
  return sum;
}
