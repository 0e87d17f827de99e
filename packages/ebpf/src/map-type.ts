// SPDX-License-Identifier: Apache-2.0

/** Map types, by the names and numbers of `enum bpf_map_type` (include/uapi/linux/bpf.h). */
export const MapType = {
  HASH: 1,
  ARRAY: 2,
  PROG_ARRAY: 3,
  PERF_EVENT_ARRAY: 4,
  PERCPU_HASH: 5,
  PERCPU_ARRAY: 6,
  STACK_TRACE: 7,
  CGROUP_ARRAY: 8,
  LRU_HASH: 9,
  LRU_PERCPU_HASH: 10,
  LPM_TRIE: 11,
  ARRAY_OF_MAPS: 12,
  HASH_OF_MAPS: 13,
  DEVMAP: 14,
  SOCKMAP: 15,
  CPUMAP: 16,
  XSKMAP: 17,
  SOCKHASH: 18,
  CGROUP_STORAGE: 19,
  REUSEPORT_SOCKARRAY: 20,
  PERCPU_CGROUP_STORAGE: 21,
  QUEUE: 22,
  STACK: 23,
  SK_STORAGE: 24,
  DEVMAP_HASH: 25,
  STRUCT_OPS: 26,
  RINGBUF: 27,
  INODE_STORAGE: 28,
  TASK_STORAGE: 29,
  BLOOM_FILTER: 30,
  USER_RINGBUF: 31,
  CGRP_STORAGE: 32,
  ARENA: 33,
} as const;

/** The number of a map type; see {@link MapType}. Numbers without a name here are passed on as they are. */
export type MapType = number;

const names = new Map<number, string>(Object.entries(MapType).map(([name, value]) => [value, name.toLowerCase()]));

/** The type's name as bpftool prints it (`ringbuf`), or `type 77` for a number without one. */
export function mapTypeName(type: MapType): string {
  return names.get(type) ?? `type ${type}`;
}

/** Whether a lookup gives one value a CPU. */
export function isPerCpu(type: MapType): boolean {
  return (
    type === MapType.PERCPU_HASH ||
    type === MapType.PERCPU_ARRAY ||
    type === MapType.LRU_PERCPU_HASH ||
    type === MapType.PERCPU_CGROUP_STORAGE
  );
}

/** Whether programs write records to user space through it: a ring buffer or a perf event array. */
export function isRecordMap(type: MapType): boolean {
  return type === MapType.RINGBUF || type === MapType.PERF_EVENT_ARRAY;
}
