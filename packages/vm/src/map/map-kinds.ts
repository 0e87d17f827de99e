// SPDX-License-Identifier: Apache-2.0

import { MapType } from "@skep/ebpf";
import { mapsArrayCode } from "../runtime/maps-array-code.ts";
import { mapsHashCode } from "../runtime/maps-hash-code.ts";
import { mapsQueueCode } from "../runtime/maps-queue-code.ts";
import { mapsRingCode } from "../runtime/maps-ring-code.ts";
import { mapsTrieCode } from "../runtime/maps-trie-code.ts";

/** The name of a map's function in C. */
export type MapFunction =
  | keyof typeof mapsArrayCode
  | keyof typeof mapsHashCode
  | keyof typeof mapsQueueCode
  | keyof typeof mapsRingCode
  | keyof typeof mapsTrieCode;

/** Every function of the maps in C, as base64. */
export const mapsCode: Readonly<Record<MapFunction, string>> = {
  ...mapsArrayCode,
  ...mapsHashCode,
  ...mapsQueueCode,
  ...mapsRingCode,
  ...mapsTrieCode,
};

/** Numbers of the helpers whose first argument is a map (`BPF_FUNC_*`). */
export const MapHelper = {
  LOOKUP: 1,
  UPDATE: 2,
  DELETE: 3,
  PUSH: 87,
  POP: 88,
  PEEK: 89,
  RINGBUF_OUTPUT: 130,
  RINGBUF_RESERVE: 131,
  RINGBUF_QUERY: 134,
  FOR_EACH: 164,
  LOOKUP_PERCPU: 195,
} as const;

/** How the elements of a map lie in memory. */
export type MapShape = "array" | "hash" | "trie" | "queue" | "bloom" | "ring" | "perf";

/** What the values of a map stand for: bytes; an object of the engine by its address; a number that is 0 when there is none. */
export type MapContents = "bytes" | "reference" | "sparse";

/** What a map type is made of. */
export interface MapKind {
  readonly shape: MapShape;
  readonly contents: MapContents;
  /** Functions by helper number. */
  readonly helpers: Readonly<Record<number, MapFunction>>;
  /** What JavaScript calls. */
  readonly own: Readonly<Record<string, MapFunction>>;
}

const { LOOKUP, UPDATE, DELETE, PUSH, POP, PEEK, FOR_EACH, LOOKUP_PERCPU } = MapHelper;

const plainOwn = { find: "hash_lookup", update: "hash_update", delete: "hash_delete", next: "hash_next" } as const;
const hashOwn = { ...plainOwn, take: "hash_take" } as const;
const lruOwn = {
  find: "lru_find",
  update: "lru_update",
  delete: "lru_delete",
  take: "lru_take",
  next: "lru_next",
} as const;
const queueOwn = { push: "queue_push", pop: "queue_pop", peek: "queue_peek" } as const;

const references: MapKind = {
  shape: "array",
  contents: "reference",
  helpers: { [LOOKUP]: "reference_array_lookup" },
  own: {},
};
const sparse: MapKind = { shape: "array", contents: "sparse", helpers: { [LOOKUP]: "sparse_array_lookup" }, own: {} };

/** Values for sockets, tasks or cgroups, by the owner's address: what their helpers make of a hash map. */
const storage: MapKind = {
  shape: "hash",
  contents: "bytes",
  helpers: { [LOOKUP]: "hash_lookup", [UPDATE]: "hash_update", [DELETE]: "hash_delete" },
  own: plainOwn,
};

/** By number of the map type. */
export const mapKinds: ReadonlyMap<number, MapKind> = new Map<number, MapKind>([
  [
    MapType.ARRAY,
    {
      shape: "array",
      contents: "bytes",
      helpers: {
        [LOOKUP]: "array_lookup",
        [UPDATE]: "array_update",
        [DELETE]: "array_delete",
        [FOR_EACH]: "array_for_each",
      },
      own: {},
    },
  ],
  [
    MapType.PERCPU_ARRAY,
    {
      shape: "array",
      contents: "bytes",
      helpers: {
        [LOOKUP]: "percpu_array_lookup",
        [UPDATE]: "percpu_array_update",
        [DELETE]: "array_delete",
        [FOR_EACH]: "percpu_array_for_each",
        [LOOKUP_PERCPU]: "percpu_array_lookup_percpu",
      },
      own: {},
    },
  ],
  [MapType.PROG_ARRAY, { ...references, helpers: {} }],
  [MapType.ARRAY_OF_MAPS, references],
  [MapType.XSKMAP, references],
  [
    MapType.SOCKMAP,
    {
      ...references,
      helpers: {
        [LOOKUP]: "reference_array_lookup",
        [UPDATE]: "socket_array_update",
        [DELETE]: "socket_array_delete",
      },
    },
  ],
  [MapType.SK_STORAGE, storage],
  [MapType.TASK_STORAGE, storage],
  [MapType.CGRP_STORAGE, storage],
  [MapType.DEVMAP, sparse],
  [MapType.CPUMAP, sparse],
  [MapType.DEVMAP_HASH, { shape: "hash", contents: "sparse", helpers: { [LOOKUP]: "hash_lookup" }, own: plainOwn }],
  [
    MapType.HASH,
    {
      shape: "hash",
      contents: "bytes",
      helpers: {
        [LOOKUP]: "hash_lookup",
        [UPDATE]: "hash_update",
        [DELETE]: "hash_delete",
        [FOR_EACH]: "hash_for_each",
      },
      own: hashOwn,
    },
  ],
  [
    MapType.PERCPU_HASH,
    {
      shape: "hash",
      contents: "bytes",
      helpers: {
        [LOOKUP]: "percpu_hash_lookup",
        [UPDATE]: "percpu_hash_update",
        [DELETE]: "hash_delete",
        [FOR_EACH]: "percpu_hash_for_each",
        [LOOKUP_PERCPU]: "percpu_hash_lookup_percpu",
      },
      own: { ...hashOwn, update: "percpu_hash_update_all", take: "percpu_hash_take" },
    },
  ],
  [
    MapType.LRU_HASH,
    {
      shape: "hash",
      contents: "bytes",
      helpers: {
        [LOOKUP]: "lru_lookup",
        [UPDATE]: "lru_update",
        [DELETE]: "lru_delete",
        [FOR_EACH]: "lru_for_each",
      },
      own: lruOwn,
    },
  ],
  [
    MapType.LRU_PERCPU_HASH,
    {
      shape: "hash",
      contents: "bytes",
      helpers: {
        [LOOKUP]: "lru_percpu_lookup",
        [UPDATE]: "lru_percpu_update",
        [DELETE]: "lru_delete",
        [FOR_EACH]: "lru_percpu_for_each",
        [LOOKUP_PERCPU]: "lru_percpu_lookup_percpu",
      },
      own: { ...lruOwn, update: "lru_percpu_update_all", take: "lru_percpu_take" },
    },
  ],
  [
    MapType.HASH_OF_MAPS,
    { shape: "hash", contents: "reference", helpers: { [LOOKUP]: "reference_hash_lookup" }, own: plainOwn },
  ],
  [
    MapType.SOCKHASH,
    {
      shape: "hash",
      contents: "reference",
      helpers: {
        [LOOKUP]: "reference_hash_lookup",
        [UPDATE]: "socket_hash_update",
        [DELETE]: "hash_delete",
      },
      own: plainOwn,
    },
  ],
  [
    MapType.LPM_TRIE,
    {
      shape: "trie",
      contents: "bytes",
      helpers: { [LOOKUP]: "trie_lookup", [UPDATE]: "trie_update", [DELETE]: "trie_delete" },
      own: {
        find: "trie_lookup",
        update: "trie_update",
        delete: "trie_delete",
        next: "trie_next",
      },
    },
  ],
  [
    MapType.QUEUE,
    {
      shape: "queue",
      contents: "bytes",
      helpers: { [PUSH]: "queue_push", [POP]: "queue_pop", [PEEK]: "queue_peek" },
      own: queueOwn,
    },
  ],
  [
    MapType.STACK,
    {
      shape: "queue",
      contents: "bytes",
      helpers: { [PUSH]: "queue_push", [POP]: "stack_pop", [PEEK]: "stack_peek" },
      own: { ...queueOwn, pop: "stack_pop", peek: "stack_peek" },
    },
  ],
  [
    MapType.BLOOM_FILTER,
    {
      shape: "bloom",
      contents: "bytes",
      helpers: { [PUSH]: "bloom_push", [PEEK]: "bloom_peek" },
      own: { push: "bloom_push", peek: "bloom_peek" },
    },
  ],
  [
    MapType.RINGBUF,
    {
      shape: "ring",
      contents: "bytes",
      helpers: {
        [MapHelper.RINGBUF_OUTPUT]: "ring_output",
        [MapHelper.RINGBUF_RESERVE]: "ring_reserve",
        [MapHelper.RINGBUF_QUERY]: "ring_query",
      },
      own: { reserve: "ring_reserve" },
    },
  ],
  [MapType.PERF_EVENT_ARRAY, { shape: "perf", contents: "reference", helpers: {}, own: {} }],
]);
