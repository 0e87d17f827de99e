// SPDX-License-Identifier: Apache-2.0

import type { BatchCursor, BpfMap, LookupOptions, MapMemory, UpdateMode, UpdateOptions } from "../bpf-map.ts";
import type { Btf } from "../btf/btf.ts";
import { perCpuCodec } from "../codec/per-cpu-codec.ts";
import { rawCodec } from "../codec/raw-codec.ts";
import type { Codec } from "../codec.ts";
import { codecFor } from "../codec-for.ts";
import { ElementMemory } from "../element-memory.ts";
import { ClosedError, InvalidValueError, NotSupportedError } from "../errors.ts";
import type { MapSpec } from "../map-spec.ts";
import { isPerCpu, isRecordMap, MapType, mapTypeName } from "../map-type.ts";
import type { RecordReader, RecordReaderOptions } from "../record-batch.ts";
import { padded } from "./format.ts";

/**
 * A map that no program sees, in memory: arrays, hashes, LRU hashes and their per-CPU forms behave as the
 * kernel's do, other types as hashes.
 */
export class MemoryMap implements BpfMap {
  readonly spec: Readonly<MapSpec>;
  readonly rawValueSize: number;
  readonly #keyCodec: Codec<unknown>;
  readonly #valueCodec: Codec<unknown>;
  readonly #array: boolean;
  readonly #lru: boolean;
  /** By key, one character a byte. Elements of arrays are here once they differ from zeros. */
  readonly #values = new Map<string, Uint8Array>();
  #walk: KeyWalk | undefined;
  #frozen: boolean;
  #closed = false;

  /**
   * Throws InvalidValueError when the types of the key or the value are not of the declared size, NotSupportedError
   * for queues and other types without keys.
   */
  constructor(spec: MapSpec, btf: Btf | undefined, cpus: number) {
    if (spec.keySize === 0 && !isRecordMap(spec.type))
      throw new NotSupportedError(`map type ${mapTypeName(spec.type)}`);
    this.spec = { ...spec };
    this.#frozen = spec.data?.readOnly === true;
    const perCpu = isPerCpu(spec.type);
    this.rawValueSize = perCpu ? padded(spec.valueSize) * cpus : spec.valueSize;
    this.#keyCodec = codecOf(spec, "key", btf);
    const value = isRecordMap(spec.type) ? rawCodec(spec.valueSize) : codecOf(spec, "value", btf);
    this.#valueCodec = perCpu ? perCpuCodec(value, cpus) : value;
    this.#array = spec.type === MapType.ARRAY || spec.type === MapType.PERCPU_ARRAY;
    this.#lru = spec.type === MapType.LRU_HASH || spec.type === MapType.LRU_PERCPU_HASH;
    if (spec.data !== undefined) this.#values.set(keyText(new Uint8Array(spec.keySize)), spec.data.contents.slice());
  }

  lookup(key: unknown, _options?: LookupOptions): unknown {
    const value = new Uint8Array(this.rawValueSize);
    return this.lookupRaw(this.#encode(this.#keyCodec, key), value) ? this.#valueCodec.decode(value, 0) : undefined;
  }

  update(key: unknown, value: unknown, how?: UpdateMode | UpdateOptions): void {
    this.updateRaw(this.#encode(this.#keyCodec, key), this.#encode(this.#valueCodec, value), how);
  }

  lookupAndDelete(key: unknown): unknown {
    const value = new Uint8Array(this.rawValueSize);
    const found = this.lookupAndDeleteRaw(this.#encode(this.#keyCodec, key), value);
    return found ? this.#valueCodec.decode(value, 0) : undefined;
  }

  delete(key: unknown): boolean {
    return this.deleteRaw(this.#encode(this.#keyCodec, key));
  }

  *keys(): IterableIterator<unknown> {
    for (const key of this.#rawKeys()) yield this.#keyCodec.decode(key, 0);
  }

  *entries(): IterableIterator<[unknown, unknown]> {
    const value = new Uint8Array(this.rawValueSize);
    for (const key of this.#rawKeys()) {
      if (this.lookupRaw(key, value)) yield [this.#keyCodec.decode(key, 0), this.#valueCodec.decode(value, 0)];
    }
  }

  entriesBatch(): IterableIterator<[unknown, unknown]> {
    return this.entries();
  }

  lookupRaw(key: Uint8Array, value: Uint8Array, _options?: LookupOptions): boolean {
    this.#check();
    this.#checkSize("value", value, this.rawValueSize);
    const text = this.#keyText(key);
    const found = this.#values.get(text);
    if (found === undefined) {
      if (!this.#array || this.#index(key) >= this.spec.maxEntries) return false;
      value.fill(0, 0, this.rawValueSize);
      return true;
    }
    if (this.#lru) this.#touch(text, found);
    value.set(found);
    return true;
  }

  updateRaw(key: Uint8Array, value: Uint8Array, how: UpdateMode | UpdateOptions = "any"): void {
    this.#check();
    this.#checkSize("value", value, this.rawValueSize);
    const mode = typeof how === "string" ? how : how.mode;
    if (this.#frozen) throw this.#refused("it is read-only");
    const text = this.#keyText(key);
    const present = this.#array || this.#values.has(text);
    if (this.#array && this.#index(key) >= this.spec.maxEntries) {
      throw this.#refused(`index ${this.#index(key)} is past its ${this.spec.maxEntries} elements`);
    }
    if (mode === "create" && present) throw this.#refused("the key is already there");
    if (mode === "replace" && !present) throw this.#refused("the key is not there");
    if (!present && this.#values.size >= this.spec.maxEntries) this.#makeRoom();
    const stored = this.spec.data === undefined ? undefined : this.#values.get(text);
    // A section stays where it is: somebody may look at its memory.
    if (stored !== undefined) stored.set(value.subarray(0, this.rawValueSize));
    else this.#touch(text, value.slice(0, this.rawValueSize));
  }

  deleteRaw(key: Uint8Array): boolean {
    this.#check();
    if (this.#array) throw this.#refused("elements of an array cannot be deleted");
    return this.#values.delete(this.#keyText(key));
  }

  lookupAndDeleteRaw(key: Uint8Array, value: Uint8Array): boolean {
    this.#check();
    if (this.#array) throw this.#refused("elements of an array cannot be deleted");
    return this.lookupRaw(key, value) && this.deleteRaw(key);
  }

  nextKeyRaw(key: Uint8Array | undefined, next: Uint8Array): boolean {
    this.#check();
    this.#checkSize("key", next, this.spec.keySize);
    const text = key === undefined ? undefined : this.#keyText(key);
    const rest = this.#walk !== undefined && this.#walk.at === text ? this.#walk.rest : this.#keysAfter(text);
    const step = rest.next();
    this.#walk = step.done === true ? undefined : { at: keyText(step.value), rest };
    if (step.done === true) return false;
    next.set(step.value);
    return true;
  }

  /** Nothing else changes the map, so a batch is its entries, and then their deletion. */
  lookupAndDeleteBatchRaw(cursor: BatchCursor, keys: Uint8Array, values: Uint8Array): number {
    this.#check();
    if (this.#array) throw this.#refused("elements of an array cannot be deleted");
    cursor.position = undefined;
    const count = this.lookupBatchRaw(cursor, keys, values);
    this.deleteBatchRaw(keys, count);
    return count;
  }

  lookupBatchRaw(cursor: BatchCursor, keys: Uint8Array, values: Uint8Array): number {
    this.#check();
    this.#checkRoom("keys", keys, this.spec.keySize);
    this.#checkRoom("values", values, this.rawValueSize);
    const most = Math.min(Math.floor(keys.length / this.spec.keySize), Math.floor(values.length / this.rawValueSize));
    const skip = cursor.position === undefined ? 0 : new DataView(cursor.position.buffer).getFloat64(0);
    let seen = 0;
    let count = 0;
    for (const key of this.#rawKeys()) {
      if (seen++ < skip) continue;
      if (count === most) {
        cursor.position = new Uint8Array(new Float64Array(1).buffer);
        new DataView(cursor.position.buffer).setFloat64(0, skip + count);
        return count;
      }
      keys.set(key, count * this.spec.keySize);
      this.lookupRaw(key, values.subarray(count * this.rawValueSize, (count + 1) * this.rawValueSize));
      count++;
    }
    cursor.done = true;
    return count;
  }

  updateBatchRaw(keys: Uint8Array, values: Uint8Array, count: number, how?: UpdateMode | UpdateOptions): number {
    this.#check();
    const { keySize } = this.spec;
    this.#checkRoom("keys", keys, count * keySize);
    this.#checkRoom("values", values, count * this.rawValueSize);
    for (let i = 0; i < count; i++) {
      const value = values.subarray(i * this.rawValueSize, (i + 1) * this.rawValueSize);
      try {
        this.updateRaw(keys.subarray(i * keySize, (i + 1) * keySize), value, how);
      } catch (error) {
        if (i === 0) throw error;
        return i;
      }
    }
    return count;
  }

  deleteBatchRaw(keys: Uint8Array, count: number): number {
    this.#check();
    const { keySize } = this.spec;
    this.#checkRoom("keys", keys, count * keySize);
    let deleted = 0;
    while (deleted < count && this.deleteRaw(keys.subarray(deleted * keySize, (deleted + 1) * keySize))) deleted++;
    return deleted;
  }

  push(): void {
    this.#checkOpen();
    throw this.#refused("its entries have keys");
  }

  pop(): unknown {
    this.#checkOpen();
    throw this.#refused("its entries have keys");
  }

  peek(): unknown {
    this.#checkOpen();
    throw this.#refused("its entries have keys");
  }

  has(): boolean {
    this.#checkOpen();
    throw this.#refused("only bloom filters tell whether they hold a value");
  }

  freeze(): void {
    this.#check();
    this.#frozen = true;
  }

  /** Data sections only. The memory is the map's own; closing it leaves the map as it is. */
  memory(): MapMemory {
    this.#check();
    const bytes = this.#values.get(keyText(new Uint8Array(this.spec.keySize)));
    if (this.spec.data === undefined || bytes === undefined) throw this.#refused("only data sections are memory here");
    return new ElementMemory({
      bytes,
      size: this.rawValueSize,
      codec: () => this.#valueCodec,
      writable: !this.#frozen,
      object: `map "${this.spec.name}"`,
      release: () => undefined,
    });
  }

  records(_options?: RecordReaderOptions): RecordReader {
    this.#checkOpen();
    throw this.#refused("only ring buffers and perf event arrays have records");
  }

  close(): void {
    this.#closed = true;
    this.#values.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError(`map "${this.spec.name}"`);
  }

  /** That it is open and has entries. */
  #check(): void {
    this.#checkOpen();
    if (isRecordMap(this.spec.type)) throw this.#refused("it carries records and has no entries");
  }

  #checkSize(what: string, bytes: Uint8Array, wanted: number): void {
    if (bytes.length !== wanted) throw this.#refused(`the ${what} is ${bytes.length} bytes, ${wanted} are wanted`);
  }

  #checkRoom(what: string, bytes: Uint8Array, wanted: number): void {
    if (bytes.length < wanted) throw this.#refused(`${what} are ${bytes.length} bytes, the entries take ${wanted}`);
  }

  #refused(problem: string): InvalidValueError {
    return new InvalidValueError(`map "${this.spec.name}" (${mapTypeName(this.spec.type)}): ${problem}`);
  }

  #encode(codec: Codec<unknown>, value: unknown): Uint8Array {
    const bytes = new Uint8Array(codec.size);
    try {
      codec.encode(value, bytes, 0);
    } catch (cause) {
      if (!(cause instanceof InvalidValueError)) throw cause;
      throw new InvalidValueError(`map "${this.spec.name}": ${cause.message}`, { cause });
    }
    return bytes;
  }

  #keyText(key: Uint8Array): string {
    this.#checkSize("key", key, this.spec.keySize);
    return keyText(key.subarray(0, this.spec.keySize));
  }

  #index(key: Uint8Array): number {
    return new DataView(key.buffer, key.byteOffset).getUint32(0, true);
  }

  /** The keys after one; all of them when it is not there. */
  #keysAfter(text: string | undefined): Iterator<Uint8Array> {
    if (text !== undefined) {
      const rest = this.#rawKeys();
      for (let step = rest.next(); step.done !== true; step = rest.next()) {
        if (keyText(step.value) === text) return rest;
      }
    }
    return this.#rawKeys();
  }

  *#rawKeys(): IterableIterator<Uint8Array> {
    this.#check();
    if (this.#array) {
      for (let index = 0; index < this.spec.maxEntries; index++) {
        const key = new Uint8Array(this.spec.keySize);
        new DataView(key.buffer).setUint32(0, index, true);
        yield key;
      }
    } else {
      for (const text of [...this.#values.keys()]) yield Uint8Array.from(text, (character) => character.charCodeAt(0));
    }
  }

  /** Stores a value as the one used last. */
  #touch(text: string, value: Uint8Array): void {
    if (this.#lru) this.#values.delete(text);
    this.#values.set(text, value);
  }

  #makeRoom(): void {
    if (!this.#lru) throw this.#refused(`it is full with ${this.spec.maxEntries} entries`);
    const [oldest] = this.#values.keys();
    if (oldest !== undefined) this.#values.delete(oldest);
  }
}

/** A walk by `nextKeyRaw`, so that each step goes on where the one before ended. */
interface KeyWalk {
  readonly at: string;
  readonly rest: Iterator<Uint8Array>;
}

function keyText(key: Uint8Array): string {
  let text = "";
  for (const byte of key) text += String.fromCharCode(byte);
  return text;
}

function codecOf(spec: MapSpec, part: "key" | "value", btf: Btf | undefined): Codec<unknown> {
  const size = part === "key" ? spec.keySize : spec.valueSize;
  const typeId = part === "key" ? spec.keyTypeId : spec.valueTypeId;
  if (btf === undefined || typeId === 0) return rawCodec(size) as Codec<unknown>;
  const codec = codecFor(btf, typeId);
  if (codec.size !== size) {
    throw new InvalidValueError(
      `map "${spec.name}": its ${part} is declared as ${size} bytes, its type has ${codec.size}`,
    );
  }
  return codec;
}
