// SPDX-License-Identifier: Apache-2.0

import type { ByteCursor } from "../cursor.ts";
import { StringTable } from "../string-table.ts";
import { essentialLength } from "./essential-name.ts";
import { BtfKind } from "./types.ts";
import { wordsOf } from "./words.ts";

const encoder = new TextEncoder();
/** Names of hostile tables may share bytes: the cap keeps the index linear in the input. */
const MAXIMUM_NAME = StringTable.maximumName;
const UNDERSCORE = 0x5f;
/** Underscores between a name and its flavour. */
const SEPARATOR = 3;
/** How much of a name its hash is made of. */
const HASHED_BYTES = 12;

/** What an index holds: functions, which are half of a kernel's types and seldom looked for, or all the others. */
export type NameIndexed = "types" | "functions";

/** Whether an index holds types of a kind. Newer kinds are in none: whoever looks for a name wants to decode what has it. */
export function isIndexed(kind: number, indexed: NameIndexed): boolean {
  return kind <= BtfKind.ENUM64 && (kind === BtfKind.FUNC) === (indexed === "functions");
}

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

  constructor(types: ByteCursor, strings: Uint8Array, offsets: Uint32Array, indexed: NameIndexed) {
    this.#types = types;
    this.#strings = strings;
    this.#offsets = offsets;
    const count = offsets.length;
    const buckets = 1 << Math.max(4, 32 - Math.clz32(count - 1));
    const mask = buckets - 1;
    const heads = new Uint32Array(buckets);
    const next = new Uint32Array(count);
    const words = wordsOf(types.bytes, types.littleEndian ? "little" : "big");
    const held = Uint8Array.from({ length: 0x80 }, (_, kind) => (isIndexed(kind, indexed) ? 1 : 0));
    // From the last to the first, so that chains ascend.
    for (let id = count - 1; id > 0; id--) {
      const at = (offsets[id] as number) >>> 2;
      const start = words[at] as number;
      if (held[((words[at + 1] as number) >>> 24) & 0x7f] === 0 || strings[start] === 0) continue;
      const bucket = essentialHash(strings, start) & mask;
      next[id] = heads[bucket] as number;
      heads[bucket] = id;
    }
    this.#mask = mask;
    this.#heads = heads;
    this.#next = next;
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
    const bucket = essentialHash(wanted, 0) & this.#mask;
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

/**
 * FNV-1a of the first bytes of a name without its flavour. Reading all of the kernel's names would take twice as
 * long, and comparing a few more takes less. Names with the same essential part get the same hash: a flavour that
 * begins behind the bytes that count makes no difference, one that begins before is seen.
 */
function essentialHash(bytes: Uint8Array, start: number): number {
  const counted = start + HASHED_BYTES;
  const end = Math.min(bytes.length, counted + SEPARATOR + 1);
  let value = 0x811c9dc5;
  /** The hash before the underscores that were read last, and how many they are. */
  let before = value;
  let underscores = 0;
  let essential = 0;
  let found = false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === 0) break;
    if (byte === UNDERSCORE) {
      if (underscores++ === 0) before = value;
    } else {
      if (underscores === SEPARATOR && at - SEPARATOR > start) {
        essential = before;
        found = true;
      }
      underscores = 0;
    }
    if (at < counted) value = Math.imul(value ^ byte, 0x01000193);
  }
  const hash = found ? essential : value;
  return hash ^ (hash >>> 15);
}
