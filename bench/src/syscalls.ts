// SPDX-License-Identifier: Apache-2.0

import { BatchCursor, type BpfMap, type LoadedProgram, type LoadedVariable, type RecordReader } from "@skep/ebpf";
import { KernelEngine } from "@skep/kernel";
import { loadSyscalls } from "../bpf/syscalls.bpf.ts";
import { type Benchmark, type Contest, compareAll, type Measurement } from "./benchmark.ts";
import { compileC } from "./compile-c.ts";

const entries = 100_000;
/** Steps from key to key; prime to the number of entries, so that every key comes up. */
const spread = 7919;
const calls = 200_000;
const batchSize = 4096;
const batchPasses = 5;
const records = 200_000;
const rounds = 9;

/** What a round of each case needs; see bench/bpf/syscalls.bpf.c. */
interface Setup extends Disposable {
  readonly hash: BpfMap<number, bigint>;
  readonly reader: RecordReader;
  /** The number of the producer's next record. */
  readonly sequence: LoadedVariable<bigint>;
  readonly producer: LoadedProgram;
}

/** System calls from Node beside the same in C: map operations and draining a ring buffer. */
export const syscalls: Benchmark = {
  name: "syscalls",
  description: "lookup, update, batch lookup raw and decoded, ring drain, beside the same system calls in C",
  reference: "C (gcc -O2)",
  async run(report) {
    using reference = compileC("syscalls.c");
    using setup = prepare();
    const contests: Contest[] = [
      {
        case: "lookup, raw",
        unit: "ns/call",
        ours: () => lookup(setup),
        reference: () => reference.measure("lookup", String(calls)),
      },
      {
        case: "update, raw",
        unit: "ns/call",
        ours: () => update(setup),
        reference: () => reference.measure("update", String(calls)),
      },
      {
        case: "batch lookup, raw",
        unit: "ns/entry",
        ours: () => batchRaw(setup),
        reference: () => reference.measure("batch", String(batchPasses)),
      },
      {
        case: "batch lookup, decoded",
        unit: "ns/entry",
        ours: () => batchDecoded(setup),
        reference: () => reference.measure("batch", String(batchPasses)),
      },
      {
        case: "ring drain",
        unit: "ns/record",
        ours: () => drain(setup),
        reference: () => reference.measure("ring", String(records)),
      },
    ];
    return await compareAll(contests, rounds, report);
  },
};

function prepare(): Setup {
  using building = new DisposableStack();
  const object = building.use(loadSyscalls({ engine: new KernelEngine() }));
  const reader = building.use(object.maps.ring.records({ maxRecords: batchSize }));
  const resources = building.move();
  return {
    hash: object.maps.hash,
    reader,
    sequence: object.variables.sequence,
    producer: object.programs.produce,
    [Symbol.dispose]: () => resources.dispose(),
  };
}

/** The map as each round finds it: key k holds 3k + 1. */
function fill(hash: BpfMap): void {
  const keys = new Uint32Array(entries).map((_, i) => i);
  const values = new BigUint64Array(entries).map((_, i) => BigInt(i) * 3n + 1n);
  const written = hash.updateBatchRaw(new Uint8Array(keys.buffer), new Uint8Array(values.buffer), entries);
  if (written !== entries) throw new Error(`${written} of ${entries} entries were written`);
}

function lookup({ hash }: Setup): Measurement {
  fill(hash);
  const key = new Uint32Array(new ArrayBuffer(4));
  const value = new Uint32Array(new ArrayBuffer(8));
  const keyBytes = new Uint8Array(key.buffer);
  const valueBytes = new Uint8Array(value.buffer);
  let sum = 0;
  const start = performance.now();
  for (let i = 0; i < calls; i++) {
    key[0] = (i * spread) % entries;
    if (!hash.lookupRaw(keyBytes, valueBytes)) throw new Error("a key is absent");
    sum += value[0]!;
  }
  return { value: nanoseconds(start) / calls, checksum: sum };
}

function update({ hash }: Setup): Measurement {
  fill(hash);
  const key = new Uint32Array(new ArrayBuffer(4));
  const value = new Uint32Array(new ArrayBuffer(8));
  const keyBytes = new Uint8Array(key.buffer);
  const valueBytes = new Uint8Array(value.buffer);
  const start = performance.now();
  for (let i = 0; i < calls; i++) {
    key[0] = (i * spread) % entries;
    value[0] = i;
    hash.updateRaw(keyBytes, valueBytes);
  }
  const elapsed = nanoseconds(start);
  let sum = 0;
  for (const [, found] of hash.entriesBatch()) sum += Number(found);
  return { value: elapsed / calls, checksum: sum };
}

function batchRaw({ hash }: Setup): Measurement {
  fill(hash);
  const keys = new Uint32Array(batchSize);
  const values = new Uint32Array(2 * batchSize);
  const keyBytes = new Uint8Array(keys.buffer);
  const valueBytes = new Uint8Array(values.buffer);
  let sum = 0;
  let start = 0;
  for (let pass = 0; pass <= batchPasses; pass++) {
    if (pass === 1) {
      sum = 0;
      start = performance.now();
    }
    const cursor = new BatchCursor();
    while (!cursor.done) {
      const count = hash.lookupBatchRaw(cursor, keyBytes, valueBytes);
      for (let i = 0; i < count; i++) sum += keys[i]! + values[2 * i]!;
    }
  }
  return { value: nanoseconds(start) / (batchPasses * entries), checksum: sum };
}

function batchDecoded({ hash }: Setup): Measurement {
  fill(hash);
  let sum = 0;
  let start = 0;
  for (let pass = 0; pass <= batchPasses; pass++) {
    if (pass === 1) {
      sum = 0;
      start = performance.now();
    }
    for (const [key, value] of hash.entriesBatch()) sum += key + Number(value);
  }
  return { value: nanoseconds(start) / (batchPasses * entries), checksum: sum };
}

function drain({ reader, sequence, producer }: Setup): Measurement {
  sequence.set(0n);
  // One by one: a signal, such as a child's end, would cut a repeated run short.
  const packet = { data: new Uint8Array(64) };
  for (let i = 0; i < records; i++) producer.run(packet);
  let sum = 0;
  const start = performance.now();
  for (let batch = reader.poll(); batch !== undefined; batch = reader.poll()) {
    const { count, bytes, offsets } = batch;
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    for (let i = 0; i < count; i++) sum += words[(offsets[i]! + 8) >> 2]!;
  }
  return { value: nanoseconds(start) / records, checksum: sum };
}

function nanoseconds(start: number): number {
  return (performance.now() - start) * 1e6;
}
