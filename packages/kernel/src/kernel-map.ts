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
import {
  BpfCommand,
  bpfError,
  type FileDescriptor,
  freezeMap,
  LastAddress,
  MapElementCalls,
  openBpfObject,
  pinBpfObject,
  possibleCpus,
} from "@skep/linux";
import type { ArenaMapping } from "./arena-mapping.ts";
import { type ElementSlot, elementSlot } from "./element-slot.ts";
import { KeyIterator, KeyWalk } from "./key-walk.ts";
import { MapBatches } from "./map-batches.ts";
import { describeMap, type MapInfo, readMapInfo } from "./map-info.ts";
import { type MapSlots, makeSlots } from "./map-slots.ts";
import { mapArray } from "./mapped-array.ts";
import { openProgram } from "./open-program.ts";
import { PerfReader } from "./perf-reader.ts";
import { unpin } from "./pin.ts";
import { RingReader } from "./ring-reader.ts";
import { UserRingWriter } from "./user-ring-writer.ts";

const ENOENT = 2;
const BPF_F_LOCK = 4;
const BPF_EXIST = 2;
const updateFlags: Readonly<Record<UpdateMode, number>> = { any: 0, create: 1, replace: 2 };
/** Entries that `entriesBatch` asks for at once, and the bytes of values that this may come to. */
const batchEntries = 1024;
const batchBytes = 1 << 20;

/**
 * A map in the kernel. Raw operations hand the caller's own memory to the kernel: no copy, no allocation, and
 * no more than a comparison to find the address when the same arrays are used again.
 */
export class KernelMap<K = unknown, V = unknown> implements BpfMap<K, V> {
  readonly spec: Readonly<MapSpec>;
  readonly rawValueSize: number;
  readonly #fd: FileDescriptor;
  readonly #object: string;
  readonly #btf: Btf | undefined;
  readonly #elements: MapElementCalls;
  readonly #batches: MapBatches;
  readonly #key = new LastAddress();
  readonly #value = new LastAddress();
  readonly #keySize: number;
  #slots: MapSlots<K, V> | undefined;
  #reader: RecordReader | undefined;
  #writer: UserRingWriter | undefined;
  readonly #arena: ArenaMapping | undefined;
  readonly #newPin: string | undefined;
  #closed = false;

  /**
   * Takes over the descriptor and the mapping. `btf` has the types that the spec's ids refer to; `newPin` is where making the
   * map has pinned it.
   */
  constructor(spec: MapSpec, fd: FileDescriptor, btf: Btf | undefined, arena?: ArenaMapping, newPin?: string) {
    this.spec = spec;
    this.#arena = arena;
    this.#newPin = newPin;
    this.#fd = fd;
    this.#btf = btf;
    this.#object = `map "${spec.name}"`;
    this.#keySize = spec.keySize;
    this.rawValueSize = isPerCpu(spec.type)
      ? Math.ceil(spec.valueSize / 8) * 8 * possibleCpus().length
      : spec.valueSize;
    this.#elements = new MapElementCalls(fd);
    this.#batches = new MapBatches(fd, this.#elements, spec.keySize, this.rawValueSize, this.#object);
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The descriptor, for system calls that take one. Throws ClosedError once the map was given up. */
  get fd(): number {
    this.#checkOpen();
    return this.#fd.number;
  }

  lookup(key: K, options?: LookupOptions): V | undefined {
    const slots = this.#typed();
    slots.key.set(key);
    return this.#lookup(slots, options);
  }

  update(key: K, value: V, how: UpdateMode | UpdateOptions = "any"): void {
    const slots = this.#typed();
    slots.key.set(key);
    slots.value.set(value);
    this.#checkUpdated(this.#elements.update(slots.key.address, slots.value.address, flagsOf(how)));
  }

  lookupAndDelete(key: K): V | undefined {
    const slots = this.#typed();
    slots.key.set(key);
    return this.#lookupAndDelete(slots);
  }

  delete(key: K): boolean {
    const slots = this.#typed();
    slots.key.set(key);
    return this.#wasThere(BpfCommand.MAP_DELETE_ELEM, this.#elements.delete(slots.key.address));
  }

  keys(): IterableIterator<K> {
    const { codec } = this.#typed().key;
    return new KeyIterator(this.#walk(elementSlot(codec, this.#keySize)));
  }

  *entries(): IterableIterator<[K, V]> {
    const slots = this.#typed();
    const key = elementSlot(slots.key.codec, this.#keySize);
    const value = elementSlot(slots.value.codec, this.rawValueSize);
    const walk = this.#walk(key);
    while (walk.next()) {
      const result = this.#elements.lookup(key.address, value.address);
      // A key that went away since it was found is left out.
      if (this.#wasThere(BpfCommand.MAP_LOOKUP_ELEM, result)) yield [key.get(), value.get()];
    }
  }

  lookupRaw(key: Uint8Array, value: Uint8Array, options?: LookupOptions): boolean {
    this.#check(key, value);
    const result = this.#elements.lookup(this.#key.of(key), this.#value.of(value), options?.lock ? BPF_F_LOCK : 0);
    return this.#wasThere(BpfCommand.MAP_LOOKUP_ELEM, result);
  }

  lookupAndDeleteRaw(key: Uint8Array, value: Uint8Array): boolean {
    this.#check(key, value);
    const result = this.#elements.lookupAndDelete(this.#key.of(key), this.#value.of(value));
    return this.#wasThere(BpfCommand.MAP_LOOKUP_AND_DELETE_ELEM, result);
  }

  updateRaw(key: Uint8Array, value: Uint8Array, how: UpdateMode | UpdateOptions = "any"): void {
    this.#check(key, value);
    this.#checkUpdated(this.#elements.update(this.#key.of(key), this.#value.of(value), flagsOf(how)));
  }

  deleteRaw(key: Uint8Array): boolean {
    this.#check(key, undefined);
    return this.#wasThere(BpfCommand.MAP_DELETE_ELEM, this.#elements.delete(this.#key.of(key)));
  }

  nextKeyRaw(key: Uint8Array | undefined, next: Uint8Array): boolean {
    this.#check(key ?? next, undefined);
    this.#check(next, undefined);
    const result = this.#elements.nextKey(key === undefined ? 0 : this.#key.of(key), this.#value.of(next));
    return this.#wasThere(BpfCommand.MAP_GET_NEXT_KEY, result);
  }

  lookupBatchRaw(cursor: BatchCursor, keys: Uint8Array, values: Uint8Array): number {
    this.#checkOpen();
    return this.#batches.lookup(cursor, keys, values);
  }

  lookupAndDeleteBatchRaw(cursor: BatchCursor, keys: Uint8Array, values: Uint8Array): number {
    this.#checkOpen();
    return this.#batches.lookupAndDelete(cursor, keys, values);
  }

  updateBatchRaw(keys: Uint8Array, values: Uint8Array, count: number, how: UpdateMode | UpdateOptions = "any"): number {
    this.#checkOpen();
    return this.#batches.update(keys, values, count, flagsOf(how));
  }

  deleteBatchRaw(keys: Uint8Array, count: number): number {
    this.#checkOpen();
    return this.#batches.delete(keys, count);
  }

  *entriesBatch(): IterableIterator<[K, V]> {
    const slots = this.#typed();
    const keyCodec = slots.key.codec;
    const valueCodec = slots.value.codec;
    const keySize = this.#keySize;
    const valueSize = this.rawValueSize;
    let capacity = Math.max(1, Math.min(batchEntries, this.spec.maxEntries, Math.floor(batchBytes / valueSize)));
    let keys = new Uint8Array(capacity * keySize);
    let values = new Uint8Array(capacity * valueSize);
    const cursor = new Cursor();
    while (!cursor.done) {
      this.#checkOpen();
      const count = this.#batches.tryLookup(cursor, keys, values, capacity);
      if (count === "too small") {
        // A hash map delivers whole buckets, and this one has more entries than there was room for.
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
    const slot = this.#keyless().value;
    slot.set(value);
    this.#checkUpdated(this.#elements.update(0, slot.address, options?.replace === true ? BPF_EXIST : 0));
  }

  pop(): V | undefined {
    return this.#lookupAndDelete(this.#keyless());
  }

  peek(): V | undefined {
    return this.#lookup(this.#keyless(), undefined);
  }

  has(value: V): boolean {
    this.#checkOpen();
    if (this.spec.type !== MapType.BLOOM_FILTER) {
      throw new InvalidValueError(`${this.#object} is of type ${mapTypeName(this.spec.type)}, not a bloom filter`);
    }
    const slot = this.#keyless().value;
    slot.set(value);
    return this.#wasThere(BpfCommand.MAP_LOOKUP_ELEM, this.#elements.lookup(0, slot.address));
  }

  freeze(): void {
    this.#checkOpen();
    freezeMap(this.#fd, this.#object);
  }

  /** What the kernel tells about it now. */
  info(): MapInfo {
    this.#checkOpen();
    return readMapInfo(this.#fd, this.#object);
  }

  /** Gives it a name in a mounted BPF file system, where it stays until `unpin`, also past this process. */
  pin(path: string): void {
    this.#checkOpen();
    pinBpfObject(this.#fd, path, `${this.#object}, pin ${path}`);
  }

  /**
   * Each call makes a mapping of its own, which outlives the map's descriptor; an arena has one for all calls. The kernel does not map a descriptor
   * that was opened for reading alone (EINVAL).
   */
  memory(): MapMemory<V> {
    this.#checkOpen();
    if (this.#arena !== undefined) return this.#arena.share();
    return mapArray(this.#fd, this.spec, () => this.#slotsOf().value.codec);
  }

  /** One reader at a time. Throws InvalidValueError for maps that hold no records. */
  records(options: RecordReaderOptions = {}): RecordReader {
    this.#checkOpen();
    const { type } = this.spec;
    if (type !== MapType.RINGBUF && type !== MapType.PERF_EVENT_ARRAY) {
      throw new InvalidValueError(`${this.#object} is of type ${mapTypeName(type)}: it has no records to read`);
    }
    if (this.#reader !== undefined) throw new InvalidValueError(`${this.#object} has a reader already`);
    const released = (): void => {
      this.#reader = undefined;
    };
    this.#reader =
      type === MapType.RINGBUF
        ? new RingReader(this.#fd, this.spec, options, released)
        : new PerfReader(this.#fd, this.spec, options, released);
    return this.#reader;
  }

  /** A writer for a user ring buffer (6.1), one at a time. */
  writer(): UserRingWriter {
    this.#checkOpen();
    if (this.spec.type !== MapType.USER_RINGBUF) {
      throw new InvalidValueError(`${this.#object} is of type ${mapTypeName(this.spec.type)}, not a user ring buffer`);
    }
    if (this.#writer !== undefined && !this.#writer.closed) {
      throw new InvalidValueError(`${this.#object} has a writer already`);
    }
    this.#writer = new UserRingWriter(this.#fd, this.spec);
    return this.#writer;
  }

  /** Gives the map up. Programs that use it, and an open reader, keep it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    using all = new DisposableStack();
    all.use(this.#fd);
    if (this.#arena !== undefined) all.use(this.#arena);
  }

  discard(): void {
    if (this.#closed) return;
    if (this.#newPin !== undefined) unpin(this.#newPin);
    this.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #typed(): MapSlots<K, V> {
    this.#checkOpen();
    return this.#slotsOf();
  }

  #slotsOf(): MapSlots<K, V> {
    this.#slots ??= makeSlots<K, V>(this.spec, this.rawValueSize, this.#btf, this.#opener());
    return this.#slots;
  }

  /**
   * Opens what a map of maps or an array of programs holds; whoever looks one up closes it. The kernel gives ids,
   * which take CAP_SYS_ADMIN to open; `lookupRaw` gives the id without.
   */
  #opener(): ((id: number) => unknown) | undefined {
    const { type, inner } = this.spec;
    if (type === MapType.PROG_ARRAY) return openProgram;
    if (type !== MapType.ARRAY_OF_MAPS && type !== MapType.HASH_OF_MAPS) return undefined;
    return (id) => {
      const fd = openBpfObject("map", id);
      try {
        const described = describeMap(fd, `map ${id}`, inner === undefined ? undefined : this.#btf);
        // The types of the pattern are those of the object, which may not be loaded any more.
        const { keyTypeId = described.spec.keyTypeId, valueTypeId = described.spec.valueTypeId } = inner ?? {};
        return new KernelMap({ ...described.spec, keyTypeId, valueTypeId }, fd, described.btf);
      } catch (error) {
        fd.close();
        throw error;
      }
    };
  }

  /** The slots of a map whose values have no keys. */
  #keyless(): MapSlots<K, V> {
    this.#checkOpen();
    const { type, keySize } = this.spec;
    if (keySize === 0 && (type === MapType.QUEUE || type === MapType.STACK || type === MapType.BLOOM_FILTER)) {
      return this.#slotsOf();
    }
    throw new InvalidValueError(`${this.#object} is of type ${mapTypeName(type)}: its values have keys`);
  }

  #walk<T>(slot: ElementSlot<T>): KeyWalk<T> {
    return new KeyWalk(this.#elements, slot, this.spec.maxEntries, () => this.#checkOpen(), this.#object);
  }

  /** Looks up the key that stands in its slot. */
  #lookup({ key, value }: MapSlots<K, V>, options?: LookupOptions): V | undefined {
    const result = this.#elements.lookup(key.address, value.address, options?.lock ? BPF_F_LOCK : 0);
    return this.#wasThere(BpfCommand.MAP_LOOKUP_ELEM, result) ? value.get() : undefined;
  }

  #lookupAndDelete({ key, value }: MapSlots<K, V>): V | undefined {
    const result = this.#elements.lookupAndDelete(key.address, value.address);
    return this.#wasThere(BpfCommand.MAP_LOOKUP_AND_DELETE_ELEM, result) ? value.get() : undefined;
  }

  #wasThere(command: BpfCommand, result: number): boolean {
    if (result === 0) return true;
    if (result === -ENOENT) return false;
    throw bpfError(command, -result, this.#object);
  }

  #checkUpdated(result: number): void {
    if (result < 0) throw bpfError(BpfCommand.MAP_UPDATE_ELEM, -result, this.#object);
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError(this.#object);
  }

  #check(key: Uint8Array, value: Uint8Array | undefined): void {
    if (this.#closed) throw new ClosedError(this.#object);
    if (key.length !== this.#keySize) throw this.#wrongSize("key", key.length, this.#keySize);
    if (value !== undefined && value.length !== this.rawValueSize) {
      throw this.#wrongSize("value", value.length, this.rawValueSize);
    }
  }

  #wrongSize(what: string, found: number, wanted: number): InvalidValueError {
    return new InvalidValueError(`${this.#object}: ${what} is ${found} bytes, the map holds ${wanted}`);
  }
}

function flagsOf(how: UpdateMode | UpdateOptions): number {
  if (typeof how === "string") return updateFlags[how];
  return updateFlags[how.mode ?? "any"] | (how.lock === true ? BPF_F_LOCK : 0);
}
