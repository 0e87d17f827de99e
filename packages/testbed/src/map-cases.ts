// SPDX-License-Identifier: Apache-2.0

import { BatchCursor, type BpfMap, isPerCpu, type MapSpec, MapType, type UpdateMode } from "@skep/ebpf";

/**
 * What maps do, as lines of a script with what must come out, so that every engine can be asked the same:
 *
 * ```text
 * update 1 10 create       nothing comes out
 * update 1 11 create -> EEXIST
 * lookup 1 -> 10
 * lookup 2 -> none
 * keys -> 1                in ascending order
 * ```
 *
 * Keys and values are numbers of their size, in the machine's byte order; keys of a trie are prefixes, `10.0.0.0/8`. A value
 * of a per-CPU map is what all CPUs have.
 */
export interface MapCase {
  readonly name: string;
  readonly spec: Partial<MapSpec> & { readonly type: number };
  readonly script: string;
}

/** A spec that is refused, with the error's name. */
export interface RefusedMap {
  readonly name: string;
  readonly spec: Partial<MapSpec> & { readonly type: number };
  readonly error: string;
}

const NO_PREALLOC = 1;

/** Keys come and go, and a full map takes no new one (kernel/bpf/hashtab.c). */
const hashScript = `
  lookup 7 -> none
  update 7 70
  lookup 7 -> 70
  update 7 71 create -> EEXIST
  update 8 80 replace -> ENOENT
  update 7 72 replace
  lookup 7 -> 72
  update 1 10 create
  update 2 20
  update 3 30
  keys -> 1 2 3 7
  update 4 40 -> E2BIG
  update 7 73
  lookup 7 -> 73
  delete 4 -> false
  delete 2 -> true
  delete 2 -> false
  update 4 41
  keys -> 1 3 4 7
  batch -> 1=10 3=30 4=41 7=73
  take 3 -> 30
  take 3 -> none
  takebatch -> 1=10 4=41 7=73
  keys ->
  lookup 1 -> none
`;

/** Every index is there from the start and stays (kernel/bpf/arraymap.c). */
const arrayScript = `
  lookup 0 -> 0
  lookup 3 -> 0
  lookup 4 -> none
  update 1 11
  update 1 12 create -> EEXIST
  update 1 13 replace
  lookup 1 -> 13
  update 4 1 -> E2BIG
  update 4294967295 1 -> E2BIG
  delete 1 -> EINVAL
  keys -> 0 1 2 3
  batch -> 0=0 1=13 2=0 3=0
  take 1 -> ENOTSUPP
`;

/** The cases, each for a map that was just made. */
export const mapCases: readonly MapCase[] = [
  ...[0, NO_PREALLOC].map((flags) => ({
    name: flags === 0 ? "hash" : "hash without preallocation",
    spec: { type: MapType.HASH, maxEntries: 4, flags },
    script: hashScript,
  })),
  { name: "per-CPU hash", spec: { type: MapType.PERCPU_HASH, maxEntries: 4 }, script: hashScript },
  ...[1, 3, 12, 16, 20, 64, 200].map((keySize) => ({
    name: `hash with keys of ${keySize} bytes`,
    spec: { type: MapType.HASH, maxEntries: 4, keySize },
    script: hashScript,
  })),
  ...[1, 3, 12, 200, 70_000].map((valueSize) => ({
    name: `hash with values of ${valueSize} bytes`,
    spec: { type: MapType.HASH, maxEntries: 4, valueSize },
    script: hashScript,
  })),
  { name: "array", spec: { type: MapType.ARRAY, maxEntries: 4 }, script: arrayScript },
  { name: "array of bytes", spec: { type: MapType.ARRAY, maxEntries: 4, valueSize: 1 }, script: arrayScript },
  { name: "per-CPU array", spec: { type: MapType.PERCPU_ARRAY, maxEntries: 4 }, script: arrayScript },
  {
    name: "per-CPU array of 5 bytes",
    spec: { type: MapType.PERCPU_ARRAY, maxEntries: 4, valueSize: 5 },
    script: arrayScript,
  },
  ...[MapType.LRU_HASH, MapType.LRU_PERCPU_HASH].map((type) => ({
    name: type === MapType.LRU_HASH ? "LRU hash" : "per-CPU LRU hash",
    spec: { type, maxEntries: 1000 },
    script: `
      update 1 10
      update 1 11 create -> EEXIST
      update 2 20 replace -> ENOENT
      update 2 20
      lookup 1 -> 10
      update 1 12
      lookup 1 -> 12
      keys -> 1 2
      take 2 -> 20
      delete 2 -> false
      delete 1 -> true
      keys ->
    `,
  })),
  {
    name: "LPM trie",
    spec: { type: MapType.LPM_TRIE, keySize: 8, maxEntries: 6, flags: NO_PREALLOC },
    script: `
      lookup 10.1.2.3/32 -> none
      update 10.0.0.0/8 1
      update 10.1.0.0/16 2
      update 10.1.2.0/24 3
      update 192.168.0.0/16 4
      lookup 10.1.2.3/32 -> 3
      lookup 10.1.3.3/32 -> 2
      lookup 10.2.3.3/32 -> 1
      lookup 10.1.2.0/24 -> 3
      lookup 10.1.2.0/23 -> 2
      lookup 11.0.0.0/32 -> none
      lookup 10.0.0.0/7 -> none
      lookup 10.0.0.0/33 -> none
      update 10.0.0.0/33 1 -> EINVAL
      update 10.1.0.0/16 5 create -> EEXIST
      update 10.3.0.0/16 5 replace -> ENOENT
      update 10.1.0.0/16 6 replace
      update 0.0.0.0/0 7
      lookup 1.2.3.4/32 -> 7
      update 10.1.2.3/32 8
      lookup 10.1.2.3/32 -> 8
      update 10.9.0.0/16 9 -> ENOSPC
      update 10.0.0.0/8 10
      lookup 10.200.0.0/32 -> 10
      keys -> 0.0.0.0/0 10.0.0.0/8 10.1.0.0/16 10.1.2.0/24 10.1.2.3/32 192.168.0.0/16
      delete 10.1.0.0/17 -> false
      delete 10.1.0.0/16 -> true
      lookup 10.1.9.9/32 -> 10
      lookup 10.1.2.9/32 -> 3
      delete 0.0.0.0/0 -> true
      lookup 1.2.3.4/32 -> none
      delete 10.0.0.0/8 -> true
      delete 10.1.2.0/24 -> true
      lookup 10.1.2.3/32 -> 8
      lookup 10.1.2.4/32 -> none
      take 10.1.2.3/32 -> ENOTSUPP
      keys -> 10.1.2.3/32 192.168.0.0/16
      delete 192.168.0.0/16 -> true
      delete 10.1.2.3/32 -> true
      keys ->
    `,
  },
  {
    name: "queue",
    spec: { type: MapType.QUEUE, keySize: 0, maxEntries: 3 },
    script: `
      pop -> none
      peek -> none
      push 1
      push 2
      push 3
      push 4 -> E2BIG
      peek -> 1
      push 4 replace
      pop -> 2
      pop -> 3
      peek -> 4
      pop -> 4
      pop -> none
    `,
  },
  {
    name: "stack",
    spec: { type: MapType.STACK, keySize: 0, maxEntries: 3 },
    script: `
      pop -> none
      push 1
      push 2
      push 3
      push 4 -> E2BIG
      peek -> 3
      push 4 replace
      pop -> 4
      pop -> 3
      pop -> 2
      pop -> none
    `,
  },
  {
    name: "bloom filter",
    spec: { type: MapType.BLOOM_FILTER, keySize: 0, maxEntries: 1000 },
    script: `
      has 5 -> no
      push 5
      has 5 -> yes
      push 5
      push 6
      has 6 -> yes
      push 7 replace -> EINVAL
    `,
  },
];

/** What the kernel does not make (`map_alloc_check` of each type). */
export const refusedMaps: readonly RefusedMap[] = [
  { name: "no entries", spec: { type: MapType.HASH, maxEntries: 0 }, error: "EINVAL" },
  { name: "a hash without keys", spec: { type: MapType.HASH, keySize: 0 }, error: "EINVAL" },
  { name: "a hash without values", spec: { type: MapType.HASH, valueSize: 0 }, error: "EINVAL" },
  { name: "an array with keys of 8 bytes", spec: { type: MapType.ARRAY, keySize: 8 }, error: "EINVAL" },
  { name: "an array without preallocation", spec: { type: MapType.ARRAY, flags: NO_PREALLOC }, error: "EINVAL" },
  { name: "values of 2 GiB", spec: { type: MapType.ARRAY, valueSize: 0x8000_0000 }, error: "E2BIG" },
  { name: "a hash with elements of 4 MiB", spec: { type: MapType.HASH, valueSize: 4 << 20 }, error: "E2BIG" },
  { name: "per-CPU values of 40 KiB", spec: { type: MapType.PERCPU_ARRAY, valueSize: 40 << 10 }, error: "E2BIG" },
  { name: "an LRU without preallocation", spec: { type: MapType.LRU_HASH, flags: NO_PREALLOC }, error: "ENOTSUPP" },
  { name: "a hash that is mapped", spec: { type: MapType.HASH, flags: 1 << 10 }, error: "EINVAL" },
  { name: "a trie that is preallocated", spec: { type: MapType.LPM_TRIE, keySize: 8 }, error: "EINVAL" },
  { name: "a trie without bits", spec: { type: MapType.LPM_TRIE, keySize: 4, flags: NO_PREALLOC }, error: "EINVAL" },
  { name: "a queue with keys", spec: { type: MapType.QUEUE, keySize: 4 }, error: "EINVAL" },
  { name: "a bloom filter with keys", spec: { type: MapType.BLOOM_FILTER, keySize: 4 }, error: "EINVAL" },
  {
    name: "a bloom filter of 17 functions",
    spec: { type: MapType.BLOOM_FILTER, keySize: 0, extra: 17n },
    error: "EINVAL",
  },
  {
    name: "a ring of 5000 bytes",
    spec: { type: MapType.RINGBUF, keySize: 0, valueSize: 0, maxEntries: 5000 },
    error: "EINVAL",
  },
  {
    name: "an array of programs with values of 8 bytes",
    spec: { type: MapType.PROG_ARRAY, valueSize: 8 },
    error: "EINVAL",
  },
  {
    name: "reading alone and writing alone",
    spec: { type: MapType.HASH, flags: (1 << 7) | (1 << 8) },
    error: "EINVAL",
  },
];

/** The whole spec of a case: keys of 4 bytes, values of 8 and 64 entries where it says nothing else. */
export function caseSpec(spec: Partial<MapSpec> & { readonly type: number }): MapSpec {
  const rest = { flags: 0, extra: 0n, pinning: "none", keyTypeId: 0, valueTypeId: 0 } as const;
  return { name: "test", keySize: 4, valueSize: 8, maxEntries: 64, ...rest, ...spec };
}

/** Runs a script on a map that was made for it. Returns the lines that came out differently, each with what came. */
export function runMapCase({ spec, script }: MapCase, map: BpfMap<unknown, unknown>): string[] {
  const target = new ScriptTarget(caseSpec(spec), map);
  const different: string[] = [];
  for (const line of script.split("\n")) {
    const [call = "", wanted = ""] = line.trim().split(/\s*->\s*/);
    if (call === "") continue;
    const came = target.run(call.split(/\s+/));
    if (came !== wanted) different.push(`${line.trim()}: came "${came}"`);
  }
  return different;
}

class ScriptTarget {
  readonly #spec: MapSpec;
  readonly #map: BpfMap<unknown, unknown>;

  constructor(spec: MapSpec, map: BpfMap<unknown, unknown>) {
    this.#spec = spec;
    this.#map = map;
  }

  run(words: readonly string[]): string {
    try {
      return this.#run(words);
    } catch (error) {
      const name = (error as { errnoName?: string }).errnoName;
      if (name === undefined) throw error;
      return name;
    }
  }

  #run([operation = "", first = "", second = "", third]: readonly string[]): string {
    const map = this.#map;
    const value = new Uint8Array(map.rawValueSize);
    const shown = (found: boolean): string => (found ? this.#showValue(value, 0) : "none");
    switch (operation) {
      case "lookup":
        return shown(map.lookupRaw(this.#key(first), value));
      case "update":
        map.updateRaw(this.#key(first), this.#value(second), third as UpdateMode | undefined);
        return "";
      case "delete":
        return String(map.deleteRaw(this.#key(first)));
      case "take":
        return shown(map.lookupAndDeleteRaw(this.#key(first), value));
      case "keys":
        return this.#keys().join(" ");
      case "batch":
        return this.#batch(false);
      case "takebatch":
        return this.#batch(true);
      case "push":
        map.push(this.#value(first), { replace: second === "replace" });
        return "";
      case "pop":
        return this.#show(map.pop());
      case "peek":
        return this.#show(map.peek());
      case "has":
        return map.has(this.#value(first)) ? "yes" : "no";
      default:
        throw new Error(`there is no operation ${operation}`);
    }
  }

  #keys(): string[] {
    const found: string[] = [];
    const key = new Uint8Array(this.#spec.keySize);
    for (let more = this.#map.nextKeyRaw(undefined, key); more; more = this.#map.nextKeyRaw(key, key)) {
      found.push(this.#showKey(key, 0));
    }
    return found.sort(inOrder);
  }

  #batch(remove: boolean): string {
    const { keySize, maxEntries } = this.#spec;
    // All may be in one bucket, which is read as a whole.
    const keys = new Uint8Array(maxEntries * keySize);
    const values = new Uint8Array(maxEntries * this.#map.rawValueSize);
    const cursor = new BatchCursor();
    const found: string[] = [];
    while (!cursor.done) {
      const count = remove
        ? this.#map.lookupAndDeleteBatchRaw(cursor, keys, values)
        : this.#map.lookupBatchRaw(cursor, keys, values);
      for (let i = 0; i < count; i++) {
        found.push(`${this.#showKey(keys, i * keySize)}=${this.#showValue(values, i * this.#map.rawValueSize)}`);
      }
    }
    return found.sort(inOrder).join(" ");
  }

  #key(text: string): Uint8Array {
    const bytes = new Uint8Array(this.#spec.keySize);
    if (this.#spec.type !== MapType.LPM_TRIE) return writeNumber(bytes, 0, this.#spec.keySize, text);
    const [address = "", length] = text.split("/");
    new DataView(bytes.buffer).setUint32(0, Number(length), true);
    bytes.set(address.split(".").map(Number), 4);
    return bytes;
  }

  #value(text: string): Uint8Array {
    const { valueSize, type } = this.#spec;
    const bytes = new Uint8Array(this.#map.rawValueSize);
    if (!isPerCpu(type)) return writeNumber(bytes, 0, valueSize, text);
    for (let at = 0; at < bytes.length; at += Math.ceil(valueSize / 8) * 8) writeNumber(bytes, at, valueSize, text);
    return bytes;
  }

  #showKey(bytes: Uint8Array, at: number): string {
    const { keySize, type } = this.#spec;
    if (type !== MapType.LPM_TRIE) return readNumber(bytes, at, keySize);
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
    return `${bytes.subarray(at + 4, at + keySize).join(".")}/${length}`;
  }

  #showValue(bytes: Uint8Array, at: number): string {
    const { valueSize, type } = this.#spec;
    if (!isPerCpu(type)) return readNumber(bytes, at, valueSize);
    const parts = new Set<string>();
    for (let part = 0; part < this.#map.rawValueSize; part += Math.ceil(valueSize / 8) * 8) {
      parts.add(readNumber(bytes, at + part, valueSize));
    }
    return [...parts].join("|");
  }

  #show(value: unknown): string {
    return value instanceof Uint8Array ? readNumber(value, 0, value.length) : "none";
  }
}

/** A number and, where there is more room than one takes, the same number again at the end. */
function widthOf(size: number): number {
  return size <= 8 ? size : Math.min(8, size >> 1);
}

function writeNumber(bytes: Uint8Array, at: number, size: number, text: string): Uint8Array {
  const number = BigInt(text);
  const width = widthOf(size);
  for (const start of [at, at + size - width]) {
    for (let i = 0; i < width; i++) bytes[start + i] = Number((number >> BigInt(8 * i)) & 0xffn);
  }
  return bytes;
}

function readNumber(bytes: Uint8Array, at: number, size: number): string {
  const width = widthOf(size);
  const from = (start: number): bigint => {
    let number = 0n;
    for (let i = width - 1; i >= 0; i--) number = (number << 8n) | BigInt(bytes[start + i] ?? 0);
    return number;
  };
  const [first, last] = [from(at), from(at + size - width)];
  return first === last ? String(first) : `${first}...${last}`;
}

function inOrder(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
