// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "@skep/ebpf";
import { bpfObjectIds, type FileDescriptor, openBpfObject, type PinAccess } from "@skep/linux";
import { KernelMap } from "./kernel-map.ts";
import { describeMap } from "./map-info.ts";
import { openPin, takeDescriptor } from "./open-pin.ts";

/** How a map that exists is opened. */
export interface OpenMapOptions {
  /** Types for its keys and values instead of those that it was made with: for users who may not open BTF by id. */
  readonly btf?: Btf;
  /** False leaves keys and values bytes, whatever the map was made with: no BTF is opened. True unless given. */
  readonly typed?: boolean;
}

/** How a pinned map is opened. */
export interface OpenPinnedMapOptions extends OpenMapOptions {
  /** `read-write` unless given. */
  readonly access?: PinAccess;
}

/** Ids of all maps in the kernel, ascending (4.13, CAP_SYS_ADMIN). */
export function mapIds(): Generator<number> {
  return bpfObjectIds("map");
}

/** Opens a map by its id (4.13, CAP_SYS_ADMIN), typed by the BTF that it was made with. ENOENT when it has gone. */
export function openMap<K = unknown, V = unknown>(id: number, options: OpenMapOptions = {}): KernelMap<K, V> {
  return adopt(openBpfObject("map", id), `map ${id}`, options);
}

/** Opens a pinned map, typed by the BTF that it was made with. ENOENT when nothing is pinned there. */
export function openPinnedMap<K = unknown, V = unknown>(
  path: string,
  options: OpenPinnedMapOptions = {},
): KernelMap<K, V> {
  return adopt(openPin(path, "map", options.access), path, options);
}

/**
 * Takes over the descriptor of a map, inherited or received from another process, typed by the BTF that the map was made
 * with. Throws InvalidValueError for a descriptor of something else, which stays the caller's.
 */
export function adoptMap<K = unknown, V = unknown>(fd: number, options: OpenMapOptions = {}): KernelMap<K, V> {
  return adopt(takeDescriptor(fd, "map"), `map of descriptor ${fd}`, options);
}

function adopt<K, V>(fd: FileDescriptor, object: string, options: OpenMapOptions): KernelMap<K, V> {
  try {
    if (options.typed === false) {
      const { spec } = describeMap(fd, object, "untyped");
      return new KernelMap<K, V>(spec, fd, undefined);
    }
    const { spec, btf } = describeMap(fd, object, options.btf);
    return new KernelMap<K, V>(spec, fd, btf);
  } catch (error) {
    fd.close();
    throw error;
  }
}
