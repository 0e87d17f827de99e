// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { BatchCursor, type BpfMap, load, parseObject } from "@skep/ebpf";
import { KernelEngine } from "@skep/kernel";
import { type Benchmark, type Contest, compareAll, type Measurement } from "./benchmark.ts";
import { compileC } from "./compile-c.ts";

/** Entries of each map but `many`. */
const entries = 10_000;
const manyEntries = 1_000_000;
/** Steps from key to key; prime to the number of entries, so that every key comes up. */
const spread = 7919;
const batchSize = 4096;
const singlePasses = 10;
const warmUpPasses = 3;
const batchPasses = 50;
const manyPasses = 2;
const rounds = 9;

type Numbers = BpfMap<number, bigint>;

/** Every operation of maps from Node beside the same in C, raw and as values; see bench/c/maps.c. */
export const maps: Benchmark = {
  name: "maps",
  description: "every map operation, single and in batches, beside the same system calls in C",
  reference: "C (gcc -O2)",
  async run(report) {
    using reference = compileC("maps.c");
    const object = parseObject(readFileSync(new URL("../bpf/maps.bpf.o", import.meta.url)));

    /** Each run has maps of its own, as the reference has: in one that was in use for long the entries lie scattered. */
    const contest =
      (unit: string, passes: number) =>
      <K, V>(name: string, command: string, map: string, ours: (map: BpfMap<K, V>) => Measurement): Contest => ({
        case: name,
        unit,
        ours: () => {
          using collection = load(object, { engine: new KernelEngine() });
          return ours(collection.map<K, V>(map));
        },
        reference: () => reference.measure(command, String(passes)),
      });
    const single = contest("ns/call", singlePasses);
    const batch = contest("ns/entry", batchPasses);
    const whole = contest("ns/entry", manyPasses);

    const contests = [
      single("hash: lookup, raw", "hash-lookup", "hash", lookupRaw),
      single("hash: lookup", "hash-lookup", "hash", lookup),
      single("hash: update, raw", "hash-update", "hash", updateRaw),
      single("hash: update", "hash-update", "hash", update),
      single("hash: delete, raw", "hash-delete", "hash", deleteRaw),
      single("hash: delete", "hash-delete", "hash", remove),
      single("hash: lookup and delete, raw", "hash-take", "hash", takeRaw),
      single("hash: lookup and delete", "hash-take", "hash", take),
      single("hash: next key, raw", "hash-next", "hash", nextKeyRaw),
      single("hash: next key", "hash-next", "hash", nextKey),
      single("array: lookup, raw", "array-lookup", "array", lookupRaw),
      single("array: update, raw", "array-update", "array", updateRaw),
      single("LRU hash: lookup, raw", "lru-lookup", "lru", lookupRaw),
      single("per-CPU hash: lookup, raw", "per-cpu-lookup", "per_cpu", lookupPerCpu),
      single("LPM trie: lookup, raw", "lpm-lookup", "lpm", lookupPrefix),
      single("queue: push and pop, raw", "queue", "queue", pushAndPopRaw),
      single("queue: push and pop", "queue", "queue", pushAndPop),
      batch("hash: batch lookup, raw", "batch-lookup", "hash", batchLookup),
      batch("hash: batch update, raw", "batch-update", "hash", batchUpdate),
      batch("hash: batch delete, raw", "batch-delete", "hash", batchDelete),
      batch("hash: batch lookup and delete, raw", "batch-take", "hash", batchTake),
      whole("a million entries, decoded, in batches", "iterate", "many", iterate),
    ];
    return await compareAll(contests, rounds, report);
  },
};

/** Key k holds 3k + 1. */
function fill(map: BpfMap, count = entries): void {
  const { keyBytes, valueBytes } = batchOf(count);
  const written = map.updateBatchRaw(keyBytes, valueBytes, count);
  if (written !== count) throw new Error(`${written} of ${count} entries were written`);
}

function sumOf(map: Numbers): number {
  let sum = 0;
  for (const [, value] of map.entriesBatch()) sum += Number(value);
  return sum;
}

/** A key and a value, as numbers and as the bytes that raw operations take. */
function element(valueWords = 2): {
  key: Uint32Array;
  value: Uint32Array;
  keyBytes: Uint8Array;
  valueBytes: Uint8Array;
} {
  const key = new Uint32Array(1);
  const value = new Uint32Array(valueWords);
  return { key, value, keyBytes: new Uint8Array(key.buffer), valueBytes: new Uint8Array(value.buffer) };
}

/**
 * Runs `pass` a number of times, once over every entry, after some that are not timed: all other cases ran since this one
 * did, and its first calls are slower.
 */
function timed(passes: number, pass: (index: number) => number, prepare?: () => void): Measurement {
  let elapsed = 0;
  let checksum = 0;
  for (let i = -warmUpPasses; i < passes; i++) {
    prepare?.();
    const start = performance.now();
    const sum = pass(Math.max(i, 0));
    if (i < 0) continue;
    elapsed += performance.now() - start;
    checksum += sum;
  }
  return { value: (elapsed * 1e6) / (passes * entries), checksum };
}

function lookupRaw(map: Numbers): Measurement {
  fill(map);
  const { key, value, keyBytes, valueBytes } = element();
  return timed(singlePasses, () => {
    let sum = 0;
    for (let i = 0; i < entries; i++) {
      key[0] = (i * spread) % entries;
      if (!map.lookupRaw(keyBytes, valueBytes)) throw new Error("a key is absent");
      sum += value[0]!;
    }
    return sum;
  });
}

function lookup(map: Numbers): Measurement {
  fill(map);
  return timed(singlePasses, () => {
    let sum = 0;
    for (let i = 0; i < entries; i++) sum += Number(map.lookup((i * spread) % entries));
    return sum;
  });
}

function updateRaw(map: Numbers): Measurement {
  fill(map);
  const { key, value, keyBytes, valueBytes } = element();
  const { value: elapsed } = timed(singlePasses, (pass) => {
    for (let i = 0; i < entries; i++) {
      key[0] = (i * spread) % entries;
      value[0] = i + pass;
      map.updateRaw(keyBytes, valueBytes);
    }
    return 0;
  });
  return { value: elapsed, checksum: sumOf(map) };
}

function update(map: Numbers): Measurement {
  fill(map);
  const { value } = timed(singlePasses, (pass) => {
    for (let i = 0; i < entries; i++) map.update((i * spread) % entries, BigInt(i + pass));
    return 0;
  });
  return { value, checksum: sumOf(map) };
}

function deleteRaw(map: Numbers): Measurement {
  const { key, keyBytes } = element();
  return timed(
    singlePasses,
    () => {
      for (let i = 0; i < entries; i++) {
        key[0] = (i * spread) % entries;
        if (!map.deleteRaw(keyBytes)) throw new Error("a key is absent");
      }
      return 1;
    },
    () => fill(map),
  );
}

function remove(map: Numbers): Measurement {
  return timed(
    singlePasses,
    () => {
      for (let i = 0; i < entries; i++) if (!map.delete((i * spread) % entries)) throw new Error("a key is absent");
      return 1;
    },
    () => fill(map),
  );
}

function takeRaw(map: Numbers): Measurement {
  const { key, value, keyBytes, valueBytes } = element();
  return timed(
    singlePasses,
    () => {
      let sum = 0;
      for (let i = 0; i < entries; i++) {
        key[0] = (i * spread) % entries;
        if (!map.lookupAndDeleteRaw(keyBytes, valueBytes)) throw new Error("a key is absent");
        sum += value[0]!;
      }
      return sum;
    },
    () => fill(map),
  );
}

function take(map: Numbers): Measurement {
  return timed(
    singlePasses,
    () => {
      let sum = 0;
      for (let i = 0; i < entries; i++) sum += Number(map.lookupAndDelete((i * spread) % entries));
      return sum;
    },
    () => fill(map),
  );
}

function nextKeyRaw(map: Numbers): Measurement {
  fill(map);
  const { key, keyBytes } = element();
  return timed(singlePasses, () => {
    let sum = 0;
    for (let more = map.nextKeyRaw(undefined, keyBytes); more; more = map.nextKeyRaw(keyBytes, keyBytes))
      sum += key[0]!;
    return sum;
  });
}

function nextKey(map: Numbers): Measurement {
  fill(map);
  return timed(singlePasses, () => {
    let sum = 0;
    for (const key of map.keys()) sum += key;
    return sum;
  });
}

function lookupPerCpu(map: BpfMap<number, bigint[]>): Measurement {
  const { key, value, keyBytes, valueBytes } = element(map.rawValueSize / 4);
  const cpus = value.length / 2;
  for (let k = 0; k < entries; k++) {
    key[0] = k;
    for (let cpu = 0; cpu < cpus; cpu++) value[2 * cpu] = 3 * k + cpu;
    map.updateRaw(keyBytes, valueBytes);
  }
  return timed(singlePasses, () => {
    let sum = 0;
    for (let i = 0; i < entries; i++) {
      key[0] = (i * spread) % entries;
      if (!map.lookupRaw(keyBytes, valueBytes)) throw new Error("a key is absent");
      for (let cpu = 0; cpu < cpus; cpu++) sum += value[2 * cpu]!;
    }
    return sum;
  });
}

function lookupPrefix(map: BpfMap<{ prefix: number; address: number }, bigint>): Measurement {
  const key = new Uint32Array([32, 0]);
  const keyBytes = new Uint8Array(key.buffer);
  const { value, valueBytes } = element();
  for (let address = 0; address < entries; address++) {
    key[1] = address;
    value[0] = 3 * address + 1;
    map.updateRaw(keyBytes, valueBytes);
  }
  return timed(singlePasses, () => {
    let sum = 0;
    for (let i = 0; i < entries; i++) {
      key[1] = (i * spread) % entries;
      if (!map.lookupRaw(keyBytes, valueBytes)) throw new Error("a key is absent");
      sum += value[0]!;
    }
    return sum;
  });
}

function pushAndPopRaw(map: BpfMap<undefined, bigint>): Measurement {
  const { value, valueBytes } = element();
  const none = new Uint8Array();
  const measured = timed(singlePasses, () => {
    let sum = 0;
    for (let i = 0; i < entries; i++) {
      value[0] = i;
      map.updateRaw(none, valueBytes);
    }
    for (let i = 0; i < entries; i++) {
      if (!map.lookupAndDeleteRaw(none, valueBytes)) throw new Error("the queue is empty");
      sum += value[0]! * (i & 7);
    }
    return sum;
  });
  return { ...measured, value: measured.value / 2 };
}

function pushAndPop(map: BpfMap<undefined, bigint>): Measurement {
  const { value, checksum } = timed(singlePasses, () => {
    let sum = 0;
    for (let i = 0; i < entries; i++) map.push(BigInt(i));
    for (let i = 0; i < entries; i++) sum += Number(map.pop()) * (i & 7);
    return sum;
  });
  return { value: value / 2, checksum };
}

/** Keys and values of a batch, as numbers and as bytes. */
function batchOf(count: number): {
  keys: Uint32Array;
  values: Uint32Array;
  keyBytes: Uint8Array;
  valueBytes: Uint8Array;
} {
  const keys = new Uint32Array(count);
  const values = new Uint32Array(2 * count);
  for (let i = 0; i < count; i++) {
    keys[i] = i;
    values[2 * i] = 3 * i + 1;
  }
  return { keys, values, keyBytes: new Uint8Array(keys.buffer), valueBytes: new Uint8Array(values.buffer) };
}

function batchLookup(map: Numbers): Measurement {
  fill(map);
  const { keys, values, keyBytes, valueBytes } = batchOf(batchSize);
  const pass = (): number => {
    let sum = 0;
    const cursor = new BatchCursor();
    while (!cursor.done) {
      const count = map.lookupBatchRaw(cursor, keyBytes, valueBytes);
      for (let i = 0; i < count; i++) sum += keys[i]! + values[2 * i]!;
    }
    return sum;
  };
  return timed(batchPasses, pass);
}

function batchUpdate(map: Numbers): Measurement {
  fill(map);
  const { keyBytes, valueBytes } = batchOf(entries);
  const { value } = timed(batchPasses, () =>
    inParts(keyBytes, valueBytes, (keys, values, count) => map.updateBatchRaw(keys, values, count)),
  );
  return { value, checksum: sumOf(map) };
}

function batchDelete(map: Numbers): Measurement {
  const { keyBytes, valueBytes } = batchOf(entries);
  const result = timed(
    batchPasses,
    () => inParts(keyBytes, valueBytes, (keys, _, count) => map.deleteBatchRaw(keys, count)),
    () => fill(map),
  );
  return { ...result, checksum: batchPasses };
}

/** Writes all entries, `batchSize` at a time, as C does. */
function inParts(
  keys: Uint8Array,
  values: Uint8Array,
  write: (keys: Uint8Array, values: Uint8Array, count: number) => number,
): number {
  for (let at = 0; at < entries; at += batchSize) {
    const count = Math.min(batchSize, entries - at);
    const written = write(keys.subarray(at * 4, (at + count) * 4), values.subarray(at * 8, (at + count) * 8), count);
    if (written !== count) throw new Error(`${written} of ${count} entries`);
  }
  return 1;
}

function batchTake(map: Numbers): Measurement {
  const { keys, values, keyBytes, valueBytes } = batchOf(batchSize);
  return timed(
    batchPasses,
    () => {
      let sum = 0;
      const cursor = new BatchCursor();
      while (!cursor.done) {
        const count = map.lookupAndDeleteBatchRaw(cursor, keyBytes, valueBytes);
        for (let i = 0; i < count; i++) sum += keys[i]! + values[2 * i]!;
      }
      return sum;
    },
    () => fill(map),
  );
}

function iterate(map: Numbers): Measurement {
  fill(map, manyEntries);
  const pass = (): number => {
    let sum = 0;
    for (const [key, value] of map.entriesBatch()) sum += key + Number(value);
    return sum;
  };
  const { value, checksum } = timed(manyPasses, pass);
  return { value: (value * entries) / manyEntries, checksum };
}
