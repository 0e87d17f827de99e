// SPDX-License-Identifier: Apache-2.0

/** Flags of BPF_MAP_CREATE (include/uapi/linux/bpf.h). */
export const MapFlag = {
  NO_PREALLOC: 0x1,
  NO_COMMON_LRU: 0x2,
  NUMA_NODE: 0x4,
  RDONLY: 0x8,
  WRONLY: 0x10,
  ZERO_SEED: 0x40,
  RDONLY_PROG: 0x80,
  WRONLY_PROG: 0x100,
  CLONE: 0x200,
  MMAPABLE: 0x400,
  PRESERVE_ELEMS: 0x800,
  INNER_MAP: 0x1000,
} as const;

/** Flags of updates and lookups: BPF_NOEXIST, BPF_EXIST, BPF_F_LOCK. */
export const ElementFlag = {
  NOEXIST: 1,
  EXIST: 2,
  LOCK: 4,
} as const;
