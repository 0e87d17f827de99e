// SPDX-License-Identifier: Apache-2.0

import {
  type BatchCursor,
  type BpfMap,
  type Btf,
  ClosedError,
  BatchCursor as Cursor,
  InvalidValueError,
  isPerCpu,
  type LookupOptions,
  type MapMemory,
  type MapSpec,
  MapType,
  mapTypeName,
  type RecordReader,
  type RecordReaderOptions,
  type UpdateMode,
  type UpdateOptions,
} from "@skep/ebpf";
import type { RuntimeFunction } from "../runtime/runtime-function.ts";
import { wordOf } from "./array-store.ts";
import { checkMapSpec, completeMapSpec } from "./check-map-spec.ts";
import type { ElementStore } from "./element-store.ts";
import { lockOffsetOf } from "./lock-offset.ts";
import { makeStore } from "./make-store.ts";
import { MapBatches } from "./map-batches.ts";
import { MapBlock } from "./map-block.ts";
import { MapErrno, MapError } from "./map-error.ts";
import { ElementFlag, MapFlag } from "./map-flags.ts";
import { mapArray } from "./map-memory.ts";
import type { Holdable, MapSpace } from "./map-space.ts";
import { PerfReader } from "./perf-reader.ts";
import { notifyReader } from "./record-signal.ts";
import { References } from "./references.ts";
import { RingReader } from "./ring-reader.ts";
import { requireAlike, type SharedMap } from "./shared-map.ts";
import { type MapSlots, makeSlots } from "./value-codecs.ts";

const updateFlags: Readonly<Record<UpdateMode, number>> = {
  any: 0,
  create: ElementFlag.NOEXIST,
  replace: ElementFlag.EXIST,
};
/** Entries that `entriesBatch` asks for at once, and the bytes of values that this may come to. */
const batchEntries = 1024;
const batchBytes = 1 << 20;

/**
 * A map in the engine's memory. Operations return what the kernel's would, and throw MapError where its calls fail.
 *
 * A map of maps takes and gives VmMap, which whoever looked one up closes; an array of programs takes what has a
 * `tableIndex`, a map of sockets what has an `address`, and both give the same object back.
 */
export class VmMap<K = unknown, V = unknown> implements BpfMap<K, V>, Holdable {
  readonly spec: Readonly<MapSpec>;
  readonly rawValueSize: number;
  /** Of `struct vm_map`: what `ld_imm64` of the map gives. */
  readonly address: number;
  /** Of value 0, for arrays. */
  readonly valuesAddress: number | undefined;
  readonly #block: MapBlock;
  readonly #btf: Btf | undefined;
  readonly #store: ElementStore;
  readonly #batches: MapBatches;
  readonly #references: References | undefined;
  #slots: MapSlots<K, V> | undefined;
  #closed = false;

  /** Another handle of a block, which it holds from now on. */
  constructor(block: MapBlock, btf: Btf | undefined, references: References | undefined) {
    const { spec, space } = block;
    this.#block = block;
    this.#btf = btf;
    this.#references = references;
    this.spec = spec;
    this.address = block.address;
    this.valuesAddress = block.kind.shape === "array" ? block.elements : undefined;
    this.rawValueSize = isPerCpu(spec.type) ? block.layout.stride * space.cpus : spec.valueSize;
    this.#store = makeStore(block);
    this.#batches = new MapBatches(block, this.#store, this.rawValueSize);
  }

  /**
   * Makes a map with the contents of its data section, frozen when that is read-only. Throws MapError for what the kernel
   * would refuse, NotSupportedError for types that the engine does not have and for maps that its memory does not hold.
   */
  static create<K = unknown, V = unknown>(space: MapSpace, spec: MapSpec, btf: Btf | undefined): VmMap<K, V> {
    const complete = completeMapSpec(spec, space.cpus);
    checkMapSpec(complete);
    const { data } = complete;
    if (data !== undefined && data.contents.length !== complete.valueSize) {
      const sizes = `the section is ${data.contents.length} bytes, the map holds ${complete.valueSize}`;
      throw new InvalidValueError(`map "${spec.name}": ${sizes}`);
    }
    const pattern = complete.inner === undefined ? undefined : completeMapSpec(complete.inner, space.cpus);
    if (pattern !== undefined) checkMapSpec(pattern);
    const inner = pattern === undefined ? undefined : { inner: pattern };
    const block = new MapBlock(space, { ...complete, ...inner }, lockOffsetOf(complete, btf));
    if (data !== undefined) {
      space.memory.bytes.set(data.contents, space.memory.index(block.elements));
      block.frozen = data.readOnly;
    }
    return VmMap.#of(block, btf);
  }

  /**
   * The map that another worker made, by a spec of this one's and with its types when there is one. Throws MapError for a spec
   * that the kernel would refuse, InvalidValueError for one that is not alike.
   */
  static join(space: MapSpace, shared: SharedMap, spec?: MapSpec, btf?: Btf): VmMap {
    if (spec === undefined) return VmMap.#of(new MapBlock(space, shared.spec, shared.lockOffset, shared), btf);
    const complete = completeMapSpec(spec, space.cpus);
    checkMapSpec(complete);
    const lockOffset = lockOffsetOf(complete, btf);
    requireAlike(shared, complete, lockOffset);
    const inner = shared.spec.inner === undefined ? undefined : { inner: shared.spec.inner };
    return VmMap.#of(new MapBlock(space, { ...complete, ...inner }, lockOffset, shared), btf);
  }

  static #of<K, V>(block: MapBlock, btf: Btf | undefined): VmMap<K, V> {
    if (block.kind.contents !== "reference") return new VmMap(block, btf, undefined);
    const references = new References(block, {
      blockOf: (value) => (value instanceof VmMap ? value.#blockFor(block.space) : undefined),
      open: (held) => {
        held.hold();
        return new VmMap(held, btf, undefined);
      },
    });
    return new VmMap(block, btf, references);
  }

  /** Functions by number of the helper that has the map as its first argument. */
  get functions(): ReadonlyMap<number, RuntimeFunction> {
    return this.#block.functions;
  }

  /** Whether another worker made and filled it. */
  get joined(): boolean {
    return this.#block.joined;
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Keeps the map's memory until what is returned is disposed, also past `close`. */
  hold(): Disposable {
    const block = this.#block;
    this.#checkOpen();
    block.hold();
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) block.release();
        held = false;
      },
    };
  }

  /** Wakes the reader when a program gave it records. For the engine, after each run. */
  notify(): void {
    notifyReader(this.#block);
  }

  lookup(key: K, options?: LookupOptions): V | undefined {
    const slots = this.#readable();
    slots.keyCodec.encode(key, slots.key, 0);
    return this.#lookup(slots.key, slots.value, options) ? slots.valueCodec.decode(slots.value, 0) : undefined;
  }

  update(key: K, value: V, how: UpdateMode | UpdateOptions = "any"): void {
    const slots = this.#writable();
    slots.keyCodec.encode(key, slots.key, 0);
    slots.valueCodec.encode(value, slots.value, 0);
    this.#update(slots.key, slots.value, flagsOf(how));
  }

  lookupAndDelete(key: K): V | undefined {
    const slots = this.#writable();
    slots.keyCodec.encode(key, slots.key, 0);
    return this.#take(slots.key, slots.value) ? slots.valueCodec.decode(slots.value, 0) : undefined;
  }

  delete(key: K): boolean {
    const slots = this.#writable();
    slots.keyCodec.encode(key, slots.key, 0);
    return this.#delete(slots.key);
  }

  *keys(): IterableIterator<K> {
    const { keyCodec } = this.#readable();
    for (const key of this.#walk()) yield keyCodec.decode(key, 0);
  }

  *entries(): IterableIterator<[K, V]> {
    const { keyCodec, valueCodec } = this.#readable();
    const value = new Uint8Array(this.rawValueSize);
    for (const key of this.#walk()) {
      // A key that went away since it was found is left out.
      if (this.#lookup(key, value)) yield [keyCodec.decode(key, 0), valueCodec.decode(value, 0)];
    }
  }

  lookupRaw(key: Uint8Array, value: Uint8Array, options?: LookupOptions): boolean {
    this.#check(key, value);
    this.#checkReadable();
    return this.#lookup(key, value, options);
  }

  updateRaw(key: Uint8Array, value: Uint8Array, how: UpdateMode | UpdateOptions = "any"): void {
    this.#check(key, value);
    this.#checkWritable();
    this.#update(key, value, flagsOf(how));
  }

  deleteRaw(key: Uint8Array): boolean {
    this.#check(key, undefined);
    this.#checkWritable();
    return this.#delete(key);
  }

  lookupAndDeleteRaw(key: Uint8Array, value: Uint8Array): boolean {
    this.#check(key, value);
    this.#checkWritable();
    return this.#take(key, value);
  }

  nextKeyRaw(key: Uint8Array | undefined, next: Uint8Array): boolean {
    this.#check(key ?? next, undefined);
    this.#check(next, undefined);
    this.#checkReadable();
    return this.#there("next key", this.#store.next(key, next));
  }

  lookupBatchRaw(cursor: BatchCursor, keys: Uint8Array, values: Uint8Array): number {
    this.#checkOpen();
    this.#checkReadable();
    return this.#batches.lookup(cursor, keys, values, false);
  }

  lookupAndDeleteBatchRaw(cursor: BatchCursor, keys: Uint8Array, values: Uint8Array): number {
    this.#checkOpen();
    this.#checkWritable();
    return this.#batches.lookup(cursor, keys, values, true);
  }

  updateBatchRaw(keys: Uint8Array, values: Uint8Array, count: number, how: UpdateMode | UpdateOptions = "any"): number {
    this.#checkOpen();
    this.#checkWritable();
    const flags = flagsOf(how);
    return this.#batches.update(keys, values, count, (key, value) => this.#update(key, value, flags));
  }

  deleteBatchRaw(keys: Uint8Array, count: number): number {
    this.#checkOpen();
    this.#checkWritable();
    return this.#batches.delete(keys, count, (key) => this.#delete(key));
  }

  *entriesBatch(): IterableIterator<[K, V]> {
    const { keyCodec, valueCodec } = this.#readable();
    const { keySize } = this.spec;
    const valueSize = this.rawValueSize;
    let capacity = Math.max(1, Math.min(batchEntries, this.spec.maxEntries, Math.floor(batchBytes / valueSize)));
    let keys = new Uint8Array(capacity * keySize);
    let values = new Uint8Array(capacity * valueSize);
    const cursor = new Cursor();
    while (!cursor.done) {
      this.#checkOpen();
      const count = this.#batches.tryLookup(cursor, keys, values, capacity, false);
      if (count === "too small") {
        capacity *= 2;
        keys = new Uint8Array(capacity * keySize);
        values = new Uint8Array(capacity * valueSize);
        continue;
      }
      for (let i = 0; i < count; i++) {
        yield [keyCodec.decode(keys, i * keySize), valueCodec.decode(values, i * valueSize)];
      }
    }
  }

  push(value: V, options?: { readonly replace?: boolean }): void {
    const slots = this.#keyless();
    this.#checkWritable();
    slots.valueCodec.encode(value, slots.value, 0);
    this.#update(slots.key, slots.value, options?.replace === true ? ElementFlag.EXIST : 0);
  }

  pop(): V | undefined {
    const slots = this.#keyless();
    this.#checkWritable();
    return this.#take(slots.key, slots.value) ? slots.valueCodec.decode(slots.value, 0) : undefined;
  }

  peek(): V | undefined {
    const slots = this.#keyless();
    this.#checkReadable();
    return this.#lookup(slots.key, slots.value) ? slots.valueCodec.decode(slots.value, 0) : undefined;
  }

  has(value: V): boolean {
    this.#checkOpen();
    const { type } = this.spec;
    if (type !== MapType.BLOOM_FILTER) {
      throw new InvalidValueError(`${this.#object} is of type ${mapTypeName(type)}, not a bloom filter`);
    }
    const slots = this.#keyless();
    slots.valueCodec.encode(value, slots.value, 0);
    return this.#lookup(slots.key, slots.value);
  }

  freeze(): void {
    this.#checkOpen();
    if (this.#block.frozen) throw this.#error("freeze", MapErrno.EBUSY, "it is frozen already");
    if (this.#block.writableMappings > 0) {
      throw this.#error("freeze", MapErrno.EBUSY, "its memory is open for writing");
    }
    this.#block.frozen = true;
  }

  /** Each call gives an object of its own, over the same memory, which it keeps. */
  memory(): MapMemory<V> {
    this.#checkOpen();
    return mapArray(this.#block, () => this.#slotsOf().valueCodec);
  }

  /**
   * One reader at a time, whatever the thread. Throws InvalidValueError for maps that hold no records, NotSupportedError for options that the
   * engine does not have.
   */
  records(options: RecordReaderOptions = {}): RecordReader {
    this.#checkOpen();
    const { shape } = this.#block.kind;
    if (shape !== "ring" && shape !== "perf") {
      throw new InvalidValueError(
        `${this.#object} is of type ${mapTypeName(this.spec.type)}: it has no records to read`,
      );
    }
    const block = this.#block;
    if (!block.takeReader()) throw new InvalidValueError(`${this.#object} has a reader already`);
    try {
      return shape === "ring" ? new RingReader(block, options) : new PerfReader(block, options);
    } catch (error) {
      block.giveReader();
      throw error;
    }
  }

  /** Gives the map up. Programs that use it, maps that hold it, and an open reader keep its memory. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#block.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get #object(): string {
    return this.#block.object;
  }

  #blockFor(space: MapSpace): MapBlock | undefined {
    this.#checkOpen();
    return this.#block.space === space ? this.#block : undefined;
  }

  #readable(): MapSlots<K, V> {
    this.#checkOpen();
    this.#checkReadable();
    return this.#slotsOf();
  }

  #writable(): MapSlots<K, V> {
    this.#checkOpen();
    this.#checkWritable();
    return this.#slotsOf();
  }

  #slotsOf(): MapSlots<K, V> {
    this.#slots ??= makeSlots<K, V>(this.#block, this.rawValueSize, this.#btf, this.#references);
    return this.#slots;
  }

  /** The slots of a map whose values have no keys. */
  #keyless(): MapSlots<K, V> {
    this.#checkOpen();
    const { shape } = this.#block.kind;
    if (shape === "queue" || shape === "bloom") return this.#slotsOf();
    throw new InvalidValueError(`${this.#object} is of type ${mapTypeName(this.spec.type)}: its values have keys`);
  }

  *#walk(): IterableIterator<Uint8Array> {
    const key = new Uint8Array(this.spec.keySize);
    // When a key vanishes under it a walk starts anew, so that it could go on for ever.
    let left = 2 * this.spec.maxEntries;
    let from: Uint8Array | undefined;
    while (left-- > 0) {
      this.#checkOpen();
      if (!this.#there("next key", this.#store.next(from, key))) return;
      from = key;
      yield key;
    }
  }

  #lookup(key: Uint8Array, value: Uint8Array, options?: LookupOptions): boolean {
    const { lockOffset } = this.#block;
    if (options?.lock === true && lockOffset === undefined) {
      throw this.#error("lookup", MapErrno.EINVAL, "its values have no lock");
    }
    const found = this.#there("lookup", this.#store.lookup(key, value, options?.lock === true));
    // The lock itself is the programs' matter.
    if (found && lockOffset !== undefined) value.fill(0, lockOffset, lockOffset + 4);
    return found;
  }

  #update(key: Uint8Array, value: Uint8Array, flags: number): void {
    const references = this.#references;
    if (references === undefined) {
      this.#checkUpdated(this.#store.update(key, value, flags));
      return;
    }
    const word = wordOf(value) >>> 0;
    this.#checkUpdated(references.check(word));
    const old = this.#heldAt(key);
    this.#checkUpdated(this.#store.update(key, value, flags));
    references.put(word);
    references.drop(old);
  }

  #delete(key: Uint8Array): boolean {
    const old = this.#references === undefined ? 0 : this.#heldAt(key);
    const there = this.#there("delete", this.#store.delete(key));
    if (there) this.#references?.drop(old);
    return there;
  }

  #take(key: Uint8Array, value: Uint8Array): boolean {
    const there = this.#there("lookup and delete", this.#store.take(key, value));
    const { lockOffset } = this.#block;
    if (there && lockOffset !== undefined) value.fill(0, lockOffset, lockOffset + 4);
    return there;
  }

  /** The number that a map of references has under a key; 0 for none. */
  #heldAt(key: Uint8Array): number {
    const value = new Uint8Array(this.rawValueSize);
    return this.#store.lookup(key, value, false) === 0 ? wordOf(value) >>> 0 : 0;
  }

  #there(operation: string, result: number): boolean {
    if (result === 0) return true;
    if (result === -MapErrno.ENOENT) return false;
    throw this.#error(operation, -result);
  }

  #checkUpdated(result: number): void {
    if (result < 0) throw this.#error("update", -result);
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError(this.#object);
  }

  #checkReadable(): void {
    if ((this.spec.flags & MapFlag.WRONLY) === 0) return;
    throw this.#error("lookup", MapErrno.EPERM, "it was made with BPF_F_WRONLY");
  }

  #checkWritable(): void {
    if (this.#block.frozen) throw this.#error("update", MapErrno.EPERM, "it is frozen");
    if ((this.spec.flags & MapFlag.RDONLY) === 0) return;
    throw this.#error("update", MapErrno.EPERM, "it was made with BPF_F_RDONLY");
  }

  #check(key: Uint8Array, value: Uint8Array | undefined): void {
    this.#checkOpen();
    if (key.length !== this.spec.keySize) throw this.#wrongSize("key", key.length, this.spec.keySize);
    if (value !== undefined && value.length !== this.rawValueSize) {
      throw this.#wrongSize("value", value.length, this.rawValueSize);
    }
  }

  #wrongSize(what: string, found: number, wanted: number): InvalidValueError {
    return new InvalidValueError(`${this.#object}: ${what} is ${found} bytes, the map holds ${wanted}`);
  }

  #error(operation: string, errno: number, detail?: string): MapError {
    return new MapError(this.#object, operation, errno, detail);
  }
}

function flagsOf(how: UpdateMode | UpdateOptions): number {
  if (typeof how === "string") return updateFlags[how];
  return updateFlags[how.mode ?? "any"] | (how.lock === true ? ElementFlag.LOCK : 0);
}
