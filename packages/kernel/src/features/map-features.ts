// SPDX-License-Identifier: Apache-2.0

import { BtfBuilder, MapType } from "@skep/ebpf";
import {
  AttrBuffer,
  BpfCommand,
  createMap,
  FileDescriptor,
  isSystemCallError,
  loadBtf,
  type MapCreateOptions,
  pageSize,
} from "@skep/linux";
import { mapTypeSince, NewerMapType } from "../minimum-version.ts";
import { attemptCommand, attemptMap } from "./attempts.ts";
import { type FeatureSupport, judge, remembered } from "./feature-support.ts";
import { intType } from "./int-type.ts";

const NO_PREALLOC = 1 << 0;
const MMAPABLE = 1 << 10;

type Recipe = Partial<Omit<MapCreateOptions, "type">>;

/** What differs from a map of four entries with keys and values of 4 bytes. */
const recipes: Readonly<Record<number, Recipe | (() => Recipe)>> = {
  [MapType.STACK_TRACE]: { valueSize: 8 },
  [MapType.LPM_TRIE]: { keySize: 8, flags: NO_PREALLOC },
  [MapType.CGROUP_STORAGE]: { keySize: 16, maxEntries: 0 },
  [MapType.PERCPU_CGROUP_STORAGE]: { keySize: 16, maxEntries: 0 },
  [MapType.QUEUE]: { keySize: 0 },
  [MapType.STACK]: { keySize: 0 },
  [MapType.BLOOM_FILTER]: { keySize: 0 },
  [MapType.CPUMAP]: { maxEntries: 1 },
  [MapType.RINGBUF]: () => ({ keySize: 0, valueSize: 0, maxEntries: pageSize() }),
  [MapType.USER_RINGBUF]: () => ({ keySize: 0, valueSize: 0, maxEntries: pageSize() }),
  [MapType.ARENA]: { keySize: 0, valueSize: 0, maxEntries: 1, flags: MMAPABLE },
  [NewerMapType.INSN_ARRAY]: { valueSize: 16 },
  [NewerMapType.RHASH]: { flags: NO_PREALLOC },
};

/** Types whose keys and values must be described, and whose entries belong to something else in the kernel. */
const storageTypes: readonly MapType[] = [
  MapType.SK_STORAGE,
  MapType.INODE_STORAGE,
  MapType.TASK_STORAGE,
  MapType.CGRP_STORAGE,
];

/** Whether the running kernel has a map type, by creating a map and giving it back. */
export function haveMapType(type: MapType): FeatureSupport {
  return remembered(`map type ${type}`, () => probeMapType(type));
}

function probeMapType(type: MapType): FeatureSupport {
  const since = mapTypeSince(type);
  if (type === MapType.STRUCT_OPS) {
    // A kernel that has them says ENOTSUPP of a type id that is no structure of operations.
    return judge(attemptCommand(BpfCommand.MAP_CREATE, structOpsAttr(0)), since, ["ENOTSUPP"]);
  }
  return attemptWith(type, {}, since);
}

/** BPF_MAP_CREATE of a struct_ops map for the kernel's type 1, an integer. */
export function structOpsAttr(flags: number): AttrBuffer {
  return new AttrBuffer(72).u32(0, MapType.STRUCT_OPS).u32(4, 4).u32(8, 4).u32(12, 1).u32(16, flags).u32(60, 1);
}

function attemptWith(type: MapType, extra: Recipe, since: string | undefined): FeatureSupport {
  const recipe = recipes[type];
  const options = {
    type,
    keySize: 4,
    valueSize: 4,
    maxEntries: 4,
    ...(typeof recipe === "function" ? recipe() : recipe),
    ...extra,
  };
  if (type === MapType.ARRAY_OF_MAPS || type === MapType.HASH_OF_MAPS) {
    using inner = createOrUndefined({ type: MapType.ARRAY, keySize: 4, valueSize: 4, maxEntries: 1 });
    if (inner === undefined) return { state: "unknown", reason: "no map could be created for it to hold" };
    return judge(attemptMap({ ...options, innerMapFd: inner.number }), since);
  }
  if (!storageTypes.includes(type)) return judge(attemptMap(options), since);
  using types = integerTypes();
  if (types === undefined) return { state: "unknown", reason: "the kernel did not take types for its keys and values" };
  const flags = NO_PREALLOC | (extra.flags ?? 0);
  const described = { btfFd: types.number, keyTypeId: 1, valueTypeId: 1 };
  return judge(attemptMap({ ...options, ...described, maxEntries: 0, flags }), since);
}

function createOrUndefined(options: MapCreateOptions): FileDescriptor | undefined {
  try {
    return createMap(options);
  } catch (error) {
    if (isSystemCallError(error)) return undefined;
    throw error;
  }
}

/** BTF whose type 1 is `int`. */
function integerTypes(): FileDescriptor | undefined {
  const types = new BtfBuilder();
  types.add(intType);
  const fd = loadBtf(types.build());
  return fd < 0 ? undefined : new FileDescriptor(fd);
}

/** A flag of BPF_MAP_CREATE, by the kernel's name without `BPF_F_`. */
export type MapFlagName =
  | "NO_PREALLOC"
  | "NO_COMMON_LRU"
  | "NUMA_NODE"
  | "RDONLY"
  | "WRONLY"
  | "STACK_BUILD_ID"
  | "ZERO_SEED"
  | "RDONLY_PROG"
  | "WRONLY_PROG"
  | "CLONE"
  | "MMAPABLE"
  | "PRESERVE_ELEMS"
  | "INNER_MAP"
  | "LINK"
  | "SEGV_ON_FAULT"
  | "NO_USER_CONV";

interface MapFlag {
  readonly bit: number;
  /** A type that takes it. */
  readonly on: MapType;
  /** First kernel that has it. */
  readonly since: string;
}

const mapFlags: Readonly<Record<MapFlagName, MapFlag>> = {
  NO_PREALLOC: { bit: NO_PREALLOC, on: MapType.HASH, since: "4.6" },
  NO_COMMON_LRU: { bit: 1 << 1, on: MapType.LRU_HASH, since: "4.10" },
  NUMA_NODE: { bit: 1 << 2, on: MapType.ARRAY, since: "4.14" },
  RDONLY: { bit: 1 << 3, on: MapType.ARRAY, since: "4.15" },
  WRONLY: { bit: 1 << 4, on: MapType.ARRAY, since: "4.15" },
  STACK_BUILD_ID: { bit: 1 << 5, on: MapType.STACK_TRACE, since: "4.17" },
  ZERO_SEED: { bit: 1 << 6, on: MapType.HASH, since: "5.0" },
  RDONLY_PROG: { bit: 1 << 7, on: MapType.ARRAY, since: "5.2" },
  WRONLY_PROG: { bit: 1 << 8, on: MapType.ARRAY, since: "5.2" },
  CLONE: { bit: 1 << 9, on: MapType.SK_STORAGE, since: "5.4" },
  MMAPABLE: { bit: MMAPABLE, on: MapType.ARRAY, since: "5.5" },
  PRESERVE_ELEMS: { bit: 1 << 11, on: MapType.PERF_EVENT_ARRAY, since: "5.10" },
  INNER_MAP: { bit: 1 << 12, on: MapType.ARRAY, since: "5.10" },
  LINK: { bit: 1 << 13, on: MapType.STRUCT_OPS, since: "6.4" },
  SEGV_ON_FAULT: { bit: 1 << 17, on: MapType.ARENA, since: "6.9" },
  NO_USER_CONV: { bit: 1 << 18, on: MapType.ARENA, since: "6.9" },
};

/** The flags that {@link haveMapFlag} can look for. */
export const mapFlagNames: readonly MapFlagName[] = Object.keys(mapFlags) as MapFlagName[];

/** First kernel with a flag of BPF_MAP_CREATE. */
export function mapFlagSince(name: MapFlagName): string {
  return mapFlags[name].since;
}

/** Whether the running kernel has a flag of BPF_MAP_CREATE, by creating a map of a type that takes it. */
export function haveMapFlag(name: MapFlagName): FeatureSupport {
  return remembered(`map flag ${name}`, () => {
    const { bit, on, since } = mapFlags[name];
    if (on === MapType.STRUCT_OPS) {
      return judge(attemptCommand(BpfCommand.MAP_CREATE, structOpsAttr(bit)), since, ["ENOTSUPP"]);
    }
    const flags = on === MapType.ARENA ? bit | MMAPABLE : bit;
    // A place in a stack is a build id and an offset then: 32 bytes.
    return attemptWith(on, { flags, ...(name === "STACK_BUILD_ID" && { valueSize: 32 }) }, since);
  });
}
