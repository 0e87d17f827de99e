// SPDX-License-Identifier: Apache-2.0

import type { ByteCursor } from "../cursor.ts";
import { StringTable } from "../string-table.ts";
import { essentialLength } from "./essential-name.ts";

const encoder = new TextEncoder();
/** Names of hostile tables may share bytes: the cap keeps the index linear in the input. */
const MAXIMUM_NAME = StringTable.maximumName;

/**
 * Finds types by name without a string for each of them: a hash table over the bytes of the names without
 * their flavour, chained through two arrays of 32-bit ids. For the 126,000 types of a kernel that is 1 MiB.
 */
export class NameIndex {
  readonly #types: ByteCursor;
  readonly #strings: Uint8Array;
  readonly #offsets: Uint32Array;
  readonly #mask: number;
  /** First type of each bucket; 0 ends a chain. */
  readonly #heads: Uint32Array;
  /** The next type of the same bucket, by id. Chains ascend. */
  readonly #next: Uint32Array;

  constructor(types: ByteCursor, strings: Uint8Array, offsets: Uint32Array) {
    this.#types = types;
    this.#strings = strings;
    this.#offsets = offsets;
    const count = offsets.length;
    const buckets = 1 << Math.max(4, 32 - Math.clz32(count - 1));
    this.#mask = buckets - 1;
    this.#heads = new Uint32Array(buckets);
    this.#next = new Uint32Array(count);
    // From the last to the first, so that chains ascend.
    for (let id = count - 1; id > 0; id--) {
      const start = types.u32At(offsets[id] as number);
      const end = this.#endOf(start);
      if (end === start) continue;
      const bucket = hash(strings, start, start + essentialLength(strings, start, end)) & this.#mask;
      this.#next[id] = this.#heads[bucket] as number;
      this.#heads[bucket] = id;
    }
  }

  /** Ids of the types with exactly this name, ascending. */
  exact(name: string): number[] {
    const wanted = encoder.encode(name);
    return this.#find(wanted, (start, end) => end - start === wanted.length, wanted.length);
  }

  /** Ids of the types whose name without a flavour is that of `name`, ascending. */
  essential(name: string): number[] {
    const wanted = encoder.encode(name);
    const length = essentialLength(wanted, 0, wanted.length);
    return this.#find(wanted, (start, end) => essentialLength(this.#strings, start, end) === length, length);
  }

  /** Types whose name begins with the first `compared` bytes of `wanted`, and for which `accept` holds. */
  #find(wanted: Uint8Array, accept: (start: number, end: number) => boolean, compared: number): number[] {
    const ids: number[] = [];
    if (compared === 0) return ids;
    const strings = this.#strings;
    const bucket = hash(wanted, 0, essentialLength(wanted, 0, wanted.length)) & this.#mask;
    for (let id = this.#heads[bucket] as number; id !== 0; id = this.#next[id] as number) {
      const start = this.#types.u32At(this.#offsets[id] as number);
      let same = 0;
      while (same < compared && strings[start + same] === wanted[same]) same++;
      if (same === compared && accept(start, this.#endOf(start))) ids.push(id);
    }
    return ids;
  }

  #endOf(start: number): number {
    const limit = Math.min(this.#strings.length, start + MAXIMUM_NAME);
    let end = start;
    while (end < limit && this.#strings[end] !== 0) end++;
    return end;
  }
}

/** FNV-1a. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let at = start; at < end; at++) value = Math.imul(value ^ (bytes[at] as number), 0x01000193);
  return value ^ (value >>> 15);
}
