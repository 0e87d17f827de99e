// SPDX-License-Identifier: Apache-2.0

/** A register of a map helper that points at a key or a value, and what the helper does with it. */
interface MapArgument {
  readonly register: number;
  readonly what: "key" | "value";
  readonly access: "read" | "write";
}

const key: MapArgument = { register: 2, what: "key", access: "read" };
const value: MapArgument = { register: 3, what: "value", access: "read" };

/** The helpers whose r1 is a map, and what must be theirs to touch before they are called. */
export const mapHelpers: ReadonlyMap<number, readonly MapArgument[]> = new Map<number, readonly MapArgument[]>([
  [1, [key]],
  [2, [key, value]],
  [3, [key]],
  [87, [{ register: 2, what: "value", access: "read" }]],
  [88, [{ register: 2, what: "value", access: "write" }]],
  [89, [{ register: 2, what: "value", access: "write" }]],
  [195, [key]],
  [164, []],
  [130, []],
  [131, []],
  [134, []],
]);

/** `bpf_tail_call`: its map is r2. */
export const TAIL_CALL = 12;
/** `bpf_ringbuf_output`: r2 and r3 are memory and its length. */
export const RINGBUF_OUTPUT = 130;
