// SPDX-License-Identifier: Apache-2.0

import { isPerCpu, type MapSpec, MapType, mapTypeName, NotSupportedError } from "@skep/ebpf";
import { MapErrno, MapError } from "./map-error.ts";
import { MapFlag } from "./map-flags.ts";

/** RDONLY, WRONLY, and the same for programs (BPF_F_ACCESS_MASK). */
const ACCESS = MapFlag.RDONLY | MapFlag.WRONLY | MapFlag.RDONLY_PROG | MapFlag.WRONLY_PROG;
const COMMON = MapFlag.NUMA_NODE | ACCESS;
const HASH = COMMON | MapFlag.NO_PREALLOC | MapFlag.ZERO_SEED;
const LRU = COMMON | MapFlag.NO_COMMON_LRU | MapFlag.ZERO_SEED;
const ARRAY = COMMON;
/** BPF_LOCAL_STORAGE_CREATE_FLAG_MASK; no socket is cloned here. */
const STORAGE = MapFlag.NO_PREALLOC | MapFlag.CLONE;
/** Owners that a storage has room for: the kernel has one in each owner. */
const STORAGE_OWNERS = 1024;

/** What one CPU's part of a value may take (PCPU_MIN_UNIT_SIZE). */
const LARGEST_PER_CPU = 32 << 10;
/** KMALLOC_MAX_SIZE: a key and a value of a hash map. */
const LARGEST_ELEMENT = 4 << 20;
const PAGE = 4096;

/** What a type asks for (`map_alloc_check` of its operations). */
interface Rules {
  readonly flags: number;
  readonly keySize?: readonly [least: number, most: number];
  readonly valueSizes?: readonly number[];
}

const rules = new Map<number, Rules>([
  [MapType.HASH, { flags: HASH }],
  [MapType.PERCPU_HASH, { flags: HASH }],
  [MapType.LRU_HASH, { flags: LRU }],
  [MapType.LRU_PERCPU_HASH, { flags: LRU }],
  [MapType.HASH_OF_MAPS, { flags: HASH, valueSizes: [4] }],
  [MapType.ARRAY, { flags: ARRAY | MapFlag.MMAPABLE | MapFlag.INNER_MAP, keySize: [4, 4] }],
  [MapType.PERCPU_ARRAY, { flags: ARRAY, keySize: [4, 4] }],
  [
    MapType.PROG_ARRAY,
    { flags: MapFlag.NUMA_NODE | MapFlag.RDONLY | MapFlag.WRONLY, keySize: [4, 4], valueSizes: [4] },
  ],
  [MapType.PERF_EVENT_ARRAY, { flags: ARRAY | MapFlag.PRESERVE_ELEMS, keySize: [4, 4], valueSizes: [4] }],
  [MapType.ARRAY_OF_MAPS, { flags: ARRAY, keySize: [4, 4], valueSizes: [4] }],
  [MapType.LPM_TRIE, { flags: COMMON | MapFlag.NO_PREALLOC, keySize: [5, 260] }],
  [MapType.QUEUE, { flags: COMMON, keySize: [0, 0] }],
  [MapType.STACK, { flags: COMMON, keySize: [0, 0] }],
  [MapType.BLOOM_FILTER, { flags: COMMON | MapFlag.ZERO_SEED, keySize: [0, 0] }],
  [MapType.RINGBUF, { flags: MapFlag.NUMA_NODE, keySize: [0, 0] }],
  [MapType.SK_STORAGE, { flags: STORAGE, keySize: [4, 4] }],
  [MapType.TASK_STORAGE, { flags: STORAGE, keySize: [4, 4] }],
  [MapType.CGRP_STORAGE, { flags: STORAGE, keySize: [4, 4] }],
  [MapType.DEVMAP, { flags: COMMON, keySize: [4, 4], valueSizes: [4, 8] }],
  [MapType.DEVMAP_HASH, { flags: COMMON, keySize: [4, 4], valueSizes: [4, 8] }],
  [MapType.CPUMAP, { flags: MapFlag.NUMA_NODE, keySize: [4, 4], valueSizes: [4, 8] }],
  [MapType.XSKMAP, { flags: COMMON, keySize: [4, 4], valueSizes: [4] }],
  [MapType.SOCKMAP, { flags: COMMON, keySize: [4, 4], valueSizes: [4, 8] }],
  [MapType.SOCKHASH, { flags: COMMON, keySize: [1, 512], valueSizes: [4, 8] }],
]);

/** The spec with what the engine fills in: what objects may leave out, and what does not belong to the map itself. */
export function completeMapSpec(spec: MapSpec, cpus: number): MapSpec {
  const complete = { ...spec };
  switch (spec.type) {
    case MapType.PERF_EVENT_ARRAY:
      complete.keySize = 4;
      complete.valueSize = 4;
      if (spec.maxEntries === 0) complete.maxEntries = cpus;
      break;
    case MapType.CPUMAP:
      complete.maxEntries = spec.maxEntries === 0 ? cpus : Math.min(spec.maxEntries, cpus);
      break;
    case MapType.SK_STORAGE:
    case MapType.TASK_STORAGE:
    case MapType.CGRP_STORAGE:
      if (spec.maxEntries === 0) complete.maxEntries = STORAGE_OWNERS;
      break;
    // A ring buffer may declare its records' type.
    case MapType.RINGBUF:
      complete.keySize = 0;
      complete.valueSize = 0;
      break;
    case MapType.ARRAY_OF_MAPS:
    case MapType.HASH_OF_MAPS:
      complete.valueSize = 4;
      break;
  }
  if (spec.data?.readOnly) complete.flags |= MapFlag.RDONLY_PROG;
  return complete;
}

/**
 * Checks a completed spec as the kernel does when a map is made. Throws NotSupportedError for types that the engine does not
 * have, MapError with what is wrong.
 */
export function checkMapSpec(spec: MapSpec): void {
  const object = `map "${spec.name}"`;
  const type = mapTypeName(spec.type);
  const rule = rules.get(spec.type);
  if (rule === undefined) throw new NotSupportedError(`${object}: map type ${type}`);
  const refuse = (detail: string, errno: number = MapErrno.EINVAL): never => {
    throw new MapError(object, "creating it", errno, detail);
  };
  for (const [what, size] of Object.entries({ key: spec.keySize, value: spec.valueSize, entries: spec.maxEntries })) {
    if (!(size >= 0 && size <= 0xffff_ffff && Number.isInteger(size))) {
      refuse(`${what === "entries" ? "max_entries" : `the size of its ${what}s`} is ${size}, no 32-bit number`);
    }
  }
  if (spec.type === MapType.RINGBUF) {
    const size = spec.maxEntries;
    // A record's place must be an address, and the data has room for a record beyond its end.
    if (size === 0 || (size & (size - 1)) !== 0 || size % PAGE !== 0) {
      refuse(`a ring buffer's size is a power of two and a multiple of ${PAGE}, this one's is ${size}`);
    }
  }
  if (spec.maxEntries === 0) refuse("max_entries is 0");
  const [least, most] = rule.keySize ?? [1, LARGEST_ELEMENT];
  if (spec.keySize < least || spec.keySize > most) {
    const wanted = least === most ? `${least} bytes` : `${least} to ${most} bytes`;
    refuse(`the key of a map of type ${type} is ${wanted}, this one's is ${spec.keySize}`);
  }
  if (rule.valueSizes !== undefined && !rule.valueSizes.includes(spec.valueSize)) {
    refuse(
      `the value of a map of type ${type} is ${rule.valueSizes.join(" or ")} bytes, this one's is ${spec.valueSize}`,
    );
  }
  if (spec.valueSize === 0 && spec.type !== MapType.RINGBUF) refuse("its values have no bytes");
  if (spec.valueSize > 0x7fff_ffff) refuse(`its values are ${spec.valueSize} bytes`, MapErrno.E2BIG);
  if (isPerCpu(spec.type) && spec.valueSize > LARGEST_PER_CPU) {
    refuse(
      `a value for each CPU has at most ${LARGEST_PER_CPU} bytes, this map's have ${spec.valueSize}`,
      MapErrno.E2BIG,
    );
  }
  if (isKeyed(spec.type) && spec.keySize + spec.valueSize >= LARGEST_ELEMENT) {
    refuse(
      `a key and its value have less than ${LARGEST_ELEMENT} bytes, here ${spec.keySize} and ${spec.valueSize}`,
      MapErrno.E2BIG,
    );
  }
  if ((spec.flags & ~rule.flags) !== 0) {
    const extra = (spec.flags & ~rule.flags) >>> 0;
    const preallocated = spec.type === MapType.LRU_HASH || spec.type === MapType.LRU_PERCPU_HASH;
    refuse(
      `flags 0x${extra.toString(16)} are none of a map of type ${type}`,
      preallocated && extra === MapFlag.NO_PREALLOC ? MapErrno.ENOTSUPP : MapErrno.EINVAL,
    );
  }
  checkAccess(spec.flags, refuse);
  if ((spec.type === MapType.LPM_TRIE || rule.flags === STORAGE) && (spec.flags & MapFlag.NO_PREALLOC) === 0) {
    refuse(`a map of type ${type} needs BPF_F_NO_PREALLOC`);
  }
  if (spec.type === MapType.BLOOM_FILTER ? (spec.extra & ~0xfn) !== 0n : spec.extra !== 0n) {
    refuse(`map_extra is ${spec.extra}`);
  }
  if ((spec.type === MapType.ARRAY_OF_MAPS || spec.type === MapType.HASH_OF_MAPS) && spec.inner === undefined) {
    refuse(`a map of type ${type} needs \`inner\`, a spec of the maps that it will hold`);
  }
}

function isKeyed(type: number): boolean {
  return (
    type === MapType.HASH ||
    type === MapType.PERCPU_HASH ||
    type === MapType.LRU_HASH ||
    type === MapType.LRU_PERCPU_HASH ||
    type === MapType.LPM_TRIE ||
    type === MapType.QUEUE ||
    type === MapType.STACK
  );
}

/** bpf_map_flags_access_ok: for reading only or for writing only, not both. */
function checkAccess(flags: number, refuse: (detail: string) => never): void {
  const programs = MapFlag.RDONLY_PROG | MapFlag.WRONLY_PROG;
  if ((flags & programs) === programs) refuse("it is for reading alone and for writing alone");
}
