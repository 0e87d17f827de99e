// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, type MapSpec, MapType, mapTypeName, NotSupportedError } from "@skep/ebpf";
import {
  addressOf,
  BpfCommand,
  bpfError,
  createMap,
  type FileDescriptor,
  freezeMap,
  isSystemCallError,
  MapElementCalls,
  pageSize,
  possibleCpus,
  SystemCallError,
} from "@skep/linux";
import type { LoadedTypes } from "./kernel-btf.ts";
import { memoryLimitHint } from "./memory-limit.ts";
import { mapTypeTooNew } from "./minimum-version.ts";
import { objectName } from "./object-name.ts";
import { missingCapability } from "./privileges.ts";

const BPF_F_NO_PREALLOC = 1;
const BPF_F_RDONLY_PROG = 1 << 7;

/** Types that take BTF for their keys and values; the kernel refuses it for all others. */
const typesWithBtf: ReadonlySet<MapType> = new Set([
  MapType.HASH,
  MapType.ARRAY,
  MapType.PERCPU_HASH,
  MapType.PERCPU_ARRAY,
  MapType.LRU_HASH,
  MapType.LRU_PERCPU_HASH,
  MapType.LPM_TRIE,
  MapType.SK_STORAGE,
  MapType.INODE_STORAGE,
  MapType.TASK_STORAGE,
  MapType.CGRP_STORAGE,
  MapType.BLOOM_FILTER,
]);

const typesWithoutPreallocation: ReadonlySet<MapType> = new Set([
  MapType.LPM_TRIE,
  MapType.SK_STORAGE,
  MapType.INODE_STORAGE,
  MapType.TASK_STORAGE,
  MapType.CGRP_STORAGE,
]);

/** The spec with what depends on this machine filled in. */
export function completeMapSpec(spec: MapSpec): MapSpec {
  const complete = { ...spec };
  if (spec.type === MapType.PERF_EVENT_ARRAY) {
    // One entry a CPU, each a descriptor; objects leave all three out.
    complete.keySize = 4;
    complete.valueSize = 4;
    if (spec.maxEntries === 0) complete.maxEntries = possibleCpus().length;
  }
  // The kernel refuses room for CPUs that there cannot be.
  if (spec.type === MapType.CPUMAP) {
    const cpus = possibleCpus().length;
    complete.maxEntries = spec.maxEntries === 0 ? cpus : Math.min(spec.maxEntries, cpus);
  }
  if (spec.type === MapType.RINGBUF || spec.type === MapType.USER_RINGBUF) {
    complete.keySize = 0;
    complete.valueSize = 0;
  }
  if (isMapOfMaps(spec.type)) complete.valueSize = 4;
  if (spec.data?.readOnly) complete.flags |= BPF_F_RDONLY_PROG;
  return complete;
}

/**
 * Creates a map, writes the contents of its data section and freezes it when that is read-only. When a step
 * fails nothing stays behind. Throws NotSupportedError when the kernel is older than the map's type. `tokenFd` is of a
 * BPF token.
 */
export function createKernelMap(spec: MapSpec, types: LoadedTypes | undefined, tokenFd?: number): FileDescriptor {
  const object = `map "${spec.name}"`;
  // The kernel keeps what it needs of the pattern; the pattern itself is made for this one call.
  using inner = spec.inner === undefined ? undefined : createKernelMap(completeMapSpec(spec.inner), types, tokenFd);
  const fd = create(spec, types, object, inner, tokenFd);
  try {
    // What an arena holds from the start is written when it is mapped.
    if (spec.data !== undefined && spec.type !== MapType.ARENA) {
      writeContents(fd, spec.data.contents, spec.valueSize, object);
      if (spec.data.readOnly) freezeMap(fd, object);
    }
    return fd;
  } catch (error) {
    fd.close();
    throw error;
  }
}

function create(
  spec: MapSpec,
  types: LoadedTypes | undefined,
  object: string,
  inner: FileDescriptor | undefined,
  tokenFd: number | undefined,
): FileDescriptor {
  const options = {
    ...spec,
    name: objectName(spec.name),
    ...(inner !== undefined && { innerMapFd: inner.number }),
    ...(tokenFd !== undefined && { tokenFd }),
  };
  // A data section has no key type, a bloom filter no key: the value alone describes them.
  const keyless = spec.data !== undefined || spec.type === MapType.BLOOM_FILTER;
  const described = spec.valueTypeId !== 0 && (spec.keyTypeId !== 0 || keyless);
  if (types !== undefined && described && typesWithBtf.has(spec.type)) {
    try {
      return createMap({ ...options, btfFd: types.fd.number }, object);
    } catch (error) {
      // Some kernels refuse types that newer ones take; programs do not need them.
      if (!isSystemCallError(error, "EINVAL", "ENOTSUPP")) throw explain(error, spec, object);
    }
  }
  try {
    return createMap({ ...options, keyTypeId: 0, valueTypeId: 0 }, object);
  } catch (error) {
    throw explain(error, spec, object);
  }
}

function explain(error: unknown, spec: MapSpec, object: string): unknown {
  if (!isSystemCallError(error)) return error;
  const version = mapTypeTooNew(spec.type);
  if (version !== undefined && error.errnoName === "EINVAL") {
    return new NotSupportedError(`${object}: map type ${mapTypeName(spec.type)}`, version, { cause: error });
  }
  const detail = reasonFor(error, spec);
  if (detail === undefined) return error;
  return new SystemCallError({ syscall: error.syscall, errno: error.errno, object, detail }, { cause: error });
}

/** Checks what the kernel is known to refuse; undefined when none of it applies. */
function reasonFor(error: SystemCallError, spec: MapSpec): string | undefined {
  const type = mapTypeName(spec.type);
  if (error.errnoName === "EPERM") return missingCapability("CAP_BPF") ?? memoryLimitHint();
  if (error.errnoName !== "EINVAL" && error.errnoName !== "E2BIG") return undefined;
  if (spec.type === MapType.RINGBUF || spec.type === MapType.USER_RINGBUF) {
    const size = spec.maxEntries;
    if (size !== 0 && (size & (size - 1)) === 0 && size % pageSize() === 0) return undefined;
    return `a ring buffer's size is a power of two and a multiple of ${pageSize()}, this one's is ${size}`;
  }
  if (isMapOfMaps(spec.type) && spec.inner === undefined) {
    return `a map of type ${type} needs \`inner\`, a spec of the maps that it will hold`;
  }
  const storage = typesWithoutPreallocation.has(spec.type);
  if (spec.maxEntries === 0 && (!storage || spec.type === MapType.LPM_TRIE)) return "max_entries is 0";
  if (storage && (spec.flags & BPF_F_NO_PREALLOC) === 0) return `a map of type ${type} needs BPF_F_NO_PREALLOC`;
  if ((spec.type === MapType.ARRAY || spec.type === MapType.PERCPU_ARRAY) && spec.keySize !== 4) {
    return `the key of a map of type ${type} is 4 bytes, this one's is ${spec.keySize}`;
  }
  return undefined;
}

function isMapOfMaps(type: MapType): boolean {
  return type === MapType.ARRAY_OF_MAPS || type === MapType.HASH_OF_MAPS;
}

function writeContents(fd: FileDescriptor, contents: Uint8Array, size: number, object: string): void {
  if (contents.length !== size) {
    throw new InvalidValueError(`${object}: the section is ${contents.length} bytes, the map holds ${size}`);
  }
  const key = new Uint8Array(new ArrayBuffer(4));
  const result = new MapElementCalls(fd).update(addressOf(key), addressOf(contents), 0);
  if (result < 0) throw bpfError(BpfCommand.MAP_UPDATE_ELEM, -result, object);
}
