// SPDX-License-Identifier: Apache-2.0

import { isPerCpu, type MapSpec, MapType } from "@skep/ebpf";
import type { MapShape } from "./map-kinds.ts";

/** Locks of a hash map, a word each (bpf/maps-hash.bpf.c). */
const LOCK_BYTES = 64 * 4;
/** Bytes of a trie's node before its key. */
const NODE_KEY = 12;

/** Where the parts of a map lie, in bytes from the beginning of its allocation. */
export interface MapLayout {
  /** Of the whole allocation. */
  readonly size: number;
  /** From one value to the next: of an array, or of the workers in a per-CPU value. */
  readonly stride: number;
  readonly elements: number;
  readonly elementSize: number;
  readonly elementCount: number;
  /** Within an element; of the key undefined where programs are never shown it. */
  readonly key: number | undefined;
  readonly value: number;
  /** Bytes of one worker's part of a per-CPU array; 0 for others. */
  readonly workerBytes: number;
  readonly mask: number;
  readonly buckets: number;
  readonly spare: number;
  readonly hashes: number;
  /** Room for a key and then a value, of each worker. */
  readonly scratch: number;
  readonly scratchSize: number;
}

/** As the functions in C have it. Sizes that no memory has are left to the allocation to refuse. */
export function layoutOf(spec: MapSpec, shape: MapShape, cpus: number): MapLayout {
  const perCpu = isPerCpu(spec.type);
  const stride = padded(spec.valueSize);
  const rawValueSize = perCpu ? stride * cpus : stride;
  const scratchSize = padded(spec.keySize) + rawValueSize;
  const none = {
    stride,
    elements: 0,
    elementSize: 0,
    elementCount: 0,
    key: undefined,
    value: 0,
    workerBytes: 0,
    mask: 0,
    buckets: 0,
    spare: 0,
    hashes: 0,
    scratch: 0,
    scratchSize: 0,
  };
  switch (shape) {
    case "array": {
      const workerBytes = perCpu ? Math.ceil((stride * spec.maxEntries) / 64) * 64 : 0;
      const size = perCpu ? workerBytes * cpus : stride * spec.maxEntries;
      return { ...none, size, workerBytes, elementSize: stride, elementCount: spec.maxEntries };
    }
    case "hash": {
      const lru = spec.type === MapType.LRU_HASH || spec.type === MapType.LRU_PERCPU_HASH;
      const key = lru ? 16 : 8;
      const value = key + padded(spec.keySize);
      const buckets = LOCK_BYTES;
      const count = powerOfTwo(spec.maxEntries);
      const spare = buckets + count * 4;
      const scratch = padded(spare + cpus * 4);
      const elements = Math.ceil((scratch + scratchSize * cpus) / 64) * 64;
      const elementSize = value + rawValueSize;
      const elementCount = spec.maxEntries + cpus;
      const size = elements + elementSize * elementCount;
      const parts = { size, elements, elementSize, elementCount, key, value, mask: count - 1, buckets, spare };
      return { ...none, ...parts, scratch, scratchSize };
    }
    case "trie": {
      const value = padded(NODE_KEY + spec.keySize);
      const elements = scratchSize * cpus;
      const elementSize = value + stride;
      const elementCount = 2 * spec.maxEntries;
      return {
        ...none,
        size: elements + elementSize * elementCount,
        elements,
        elementSize,
        elementCount,
        value,
        scratchSize,
      };
    }
    case "queue": {
      const elements = scratchSize * cpus;
      const elementCount = spec.maxEntries + 1;
      return {
        ...none,
        size: elements + stride * elementCount,
        elements,
        elementSize: stride,
        elementCount,
        scratchSize,
      };
    }
    case "bloom": {
      const hashes = Number(spec.extra) || 5;
      const bits = Math.min(2 ** 32, Math.max(64, powerOfTwo(Math.floor((spec.maxEntries * hashes) / 5) * 7)));
      const elements = scratchSize * cpus;
      return { ...none, size: elements + bits / 8, elements, mask: bits - 1, hashes, scratchSize };
    }
    case "ring":
      // The second half is for records that begin near the end of the first.
      return { ...none, size: spec.maxEntries * 2, mask: spec.maxEntries - 1 };
    case "perf":
      return { ...none, size: stride * spec.maxEntries };
  }
}

function padded(size: number): number {
  return Math.ceil(size / 8) * 8;
}

/** The next power of two, itself included. */
function powerOfTwo(count: number): number {
  let power = 1;
  while (power < count) power *= 2;
  return power;
}
