// SPDX-License-Identifier: Apache-2.0

import { type MapSpec, MapType, ProgramType } from "@skep/ebpf";

/** Keys of the hash are below it. */
export const HASH_KEYS = 12;
/** Sizes of what a program keeps at its end: r0 to r9, and as much of its stack as there is room for below them. */
export const DUMP_SIZES: readonly number[] = [128, 256, 512];
/** Bytes of the registers, at the end of a dump. */
export const REGISTERS_SIZE = 80;

/** The maps that programs share, by name. What a run leaves in those that it uses is compared. */
export const mapSpecs: readonly MapSpec[] = [
  // Values that programs address without a lookup.
  spec("direct", MapType.ARRAY, 4, 64, 1),
  // Eight zeros: the key of dumps.
  spec("zero", MapType.ARRAY, 4, 8, 1),
  spec("array", MapType.ARRAY, 4, 16, 4),
  spec("hash", MapType.HASH, 4, 16, 8),
  spec("queue", MapType.QUEUE, 0, 8, 4),
  spec("stack", MapType.STACK, 0, 8, 4),
  // An array of programs takes those of one type.
  ...[ProgramType.XDP, ProgramType.SCHED_CLS, ProgramType.SOCKET_FILTER].map((type) =>
    spec(tailMap(type), MapType.PROG_ARRAY, 4, 4, 4),
  ),
  ...DUMP_SIZES.map((size) => spec(dumpMap(size), MapType.ARRAY, 4, size, 1)),
];

/** The map that programs of a type call others by. */
export function tailMap(type: number): string {
  return `tails${type}`;
}

/** The map that dumps of a size go to. */
export function dumpMap(size: number): string {
  return `dump${size}`;
}

function spec(name: string, type: MapType, keySize: number, valueSize: number, maxEntries: number): MapSpec {
  return {
    ...{ name, type, keySize, valueSize, maxEntries, flags: 0, extra: 0n },
    ...{ pinning: "none", keyTypeId: 0, valueTypeId: 0 },
  };
}
