// SPDX-License-Identifier: Apache-2.0

/**
 * A recording: the records that an engine's readers delivered, with their times, and the ledgers beside them. All
 * numbers are little-endian, everything begins at a multiple of 8, gaps are NUL. Clocks are nanoseconds of the
 * engine's clock (`bpf_ktime_get_ns`) and never go back.
 *
 * ```
 * 0    8  "SKEPREC1"
 * 8    4  H: length of the header
 * 12   4  0
 * 16   H  the header: JSON in UTF-8, see RecordingHeader
 *      …  frames, each
 *
 * 0    1  type
 * 1    1  0
 * 2    2  index of the map that it is about; 0 in an end frame
 * 4    4  N: bytes that follow, a multiple of 8
 * 8    N  by type:
 *
 * 1, map: declares the map of the next index, before any other frame about it
 * 0    4  map type          4    4  key size
 * 8    4  value size        12   4  L: length of the name
 * 16   L  name
 *
 * 2, records: one batch, as a reader delivered it
 * 0    8  clock at delivery
 * 8    4  C: how many records
 * 12   4  reported as lost since the batch before
 * 16   4  discarded by the program since the batch before
 * 20   4  0
 * 24   …  C times: length (4), 0 (4), the record, NULs up to a multiple of 8
 *
 * 3, snapshot: an entry of a map, as a raw lookup gives it
 * 0    8  clock
 * 8    4  K: length of the key
 * 12   4  V: length of the value
 * 16   …  the key, NULs up to a multiple of 8, the value
 *
 * 4, end: the last frame of a recording that was closed
 * 0    8  clock
 * ```
 *
 * A recording that was cut anywhere after its header holds the frames that are complete.
 */
export const RECORDING_MAGIC = "SKEPREC1";

/** Types of the frames of a recording; see {@link RECORDING_MAGIC}. */
export const FrameType = { MAP: 1, RECORDS: 2, SNAPSHOT: 3, END: 4 } as const;

/** An object file that took part in a recording: enough to tell whether one at hand is the same. */
export interface RecordedObject {
  /** File name without folders. */
  readonly name: string;
  /** Length of the file. */
  readonly size: number;
  /** FNV-1a of its bytes, 32 bits; see {@link identifyObject}. */
  readonly fnv1a: number;
}

/** Where and when a recording was made. */
export interface RecordingHeader {
  readonly version: 1;
  /** ISO 8601. */
  readonly created: string;
  /** Name of the machine, as rows carry it. */
  readonly node: string;
  /** Kernel release, such as `6.18.0`. */
  readonly kernel: string;
  /** Possible CPUs: how many values those of per-CPU maps have. */
  readonly cpus: number;
  /** Nanoseconds to add to the recorded clocks to get the wall clock of then; a decimal string in JSON. */
  readonly clockOffset: bigint;
  readonly objects: readonly RecordedObject[];
}

/** Rounds up to a multiple of 8, as everything in a recording is. */
export function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}

/**
 * What identifies an object file in a recording's header. FNV-1a (RFC 9923) tells builds apart; it is no
 * protection against somebody who wants two files to look the same.
 */
export function identifyObject(name: string, bytes: Uint8Array): RecordedObject {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return { name, size: bytes.length, fnv1a: hash >>> 0 };
}
