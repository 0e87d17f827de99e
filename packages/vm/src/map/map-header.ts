// SPDX-License-Identifier: Apache-2.0

/** Bytes of `struct vm_map` (bpf/maps.h), and from one map to the next. */
export const MAP_HEADER_SIZE = 128;

/** Indices of the 32-bit words of `struct vm_map`, as bpf/maps.h has its members. */
export const MapWord = {
  TYPE: 0,
  KEY_SIZE: 1,
  VALUE_SIZE: 2,
  MAX_ENTRIES: 3,
  FLAGS: 4,
  CPUS: 5,
  STRIDE: 6,
  ELEMENTS: 7,
  ELEMENT_SIZE: 8,
  MASK: 9,
  LOCK: 10,
  LOCK_OFFSET: 11,
  CONFINED: 12,
  SPARE: 13,
  HAND: 14,
  USED: 15,
  BUCKETS: 16,
  ROOT: 17,
  TABLE: 18,
  HEAD: 19,
  FREE: 20,
  CONSUMER: 22,
  PRODUCER: 24,
  SIGNALS: 26,
  WAITING: 27,
  TAIL: 28,
  SEQUENCE: 29,
  HASHES: 30,
  READER: 31,
} as const;

/** `lock_offset` of a map whose values have no lock. */
export const NO_LOCK = 0xffff_ffff;
