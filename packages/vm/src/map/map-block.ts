// SPDX-License-Identifier: Apache-2.0

import { isPerCpu, type MapSpec, MapType } from "@skep/ebpf";
import type { MapConstants, RuntimeCall, RuntimeFunction } from "../runtime/runtime-function.ts";
import { MapErrno, MapError } from "./map-error.ts";
import { MapFlag } from "./map-flags.ts";
import { MAP_HEADER_SIZE, MapWord, NO_LOCK } from "./map-header.ts";
import { type MapFunction, MapHelper, type MapKind, mapKinds } from "./map-kinds.ts";
import { layoutOf, type MapLayout } from "./map-layout.ts";
import type { MapSpace } from "./map-space.ts";
import type { SharedMap } from "./shared-map.ts";

/** Functions for maps whose values have a lock. */
const locking: Readonly<Partial<Record<MapFunction, MapFunction>>> = {
  array_update: "array_update_locking",
  hash_update: "hash_update_locking",
};

/**
 * A map in the memory: its struct and its elements, for as long as somebody holds it. Handles ({@link VmMap}), programs, maps
 * of maps and readers do.
 */
export class MapBlock {
  readonly space: MapSpace;
  readonly spec: Readonly<MapSpec>;
  readonly kind: MapKind;
  readonly layout: MapLayout;
  /** For error messages: `map "flows"`. */
  readonly object: string;
  /** Of `struct vm_map`. */
  readonly address: number;
  /** Where a value has its `struct bpf_spin_lock`; undefined when it has none. */
  readonly lockOffset: number | undefined;
  /** Whether it is another worker's, who frees it. */
  readonly joined: boolean;
  readonly constants: MapConstants;
  /** The words of `struct vm_map`: see {@link MapWord}. */
  readonly words: Int32Array;
  /** Of the first element, value or byte. */
  readonly elements: number;
  /** Room for a key and a value that JavaScript passes on; a worker's own. */
  readonly scratch: number;
  /** User space cannot write any more. */
  frozen: boolean;
  /** Memory that is mapped for writing, so that the map cannot be frozen. */
  writableMappings = 0;
  /** Wakes the reader that waits in this thread, when there was a signal. */
  wakeReader: (() => void) | undefined;
  /** Called when the map goes. */
  readonly onFree: (() => void)[] = [];
  readonly #allocation: number;
  #functions: ReadonlyMap<number, RuntimeFunction> | undefined;
  #calls: Readonly<Record<string, RuntimeCall>> | undefined;
  #holders = 1;

  /**
   * Makes a map, or finds the one that another worker has made. `spec` was completed and checked. Throws NotSupportedError
   * when there is no memory for it.
   */
  constructor(space: MapSpace, spec: MapSpec, lockOffset: number | undefined, shared?: SharedMap) {
    const { memory } = space;
    const kind = mapKinds.get(spec.type);
    this.object = `map "${spec.name}"`;
    if (kind === undefined) throw new MapError(this.object, "creating it", MapErrno.EINVAL, `its type is ${spec.type}`);
    this.space = space;
    this.spec = spec;
    this.kind = kind;
    this.lockOffset = lockOffset;
    this.layout = layoutOf(spec, kind.shape, space.cpus);
    const { layout } = this;
    this.constants = {
      keySize: kind.shape === "bloom" ? spec.valueSize : spec.keySize,
      valueSize: spec.valueSize,
      stride: layout.stride,
      flags: spec.flags,
      maxEntries: spec.maxEntries,
      cpus: space.cpus,
    };
    this.frozen = shared?.frozen ?? false;
    this.joined = shared !== undefined;
    this.address = shared?.address ?? space.take(this);
    try {
      this.#allocation = shared?.allocation ?? memory.allocate(layout.size, 64);
    } catch (error) {
      space.give(this.address);
      throw error;
    }
    this.elements = this.#allocation + layout.elements;
    this.scratch = this.#allocation + layout.scratch + space.cpu * layout.scratchSize;
    this.words = new Int32Array(memory.wasm.buffer, memory.index(this.address), MAP_HEADER_SIZE / 4);
    if (shared !== undefined) {
      space.put(this.address, this);
      return;
    }
    this.#fill();
    this.#open();
  }

  /** How another worker finds it. */
  get place(): SharedMap {
    const { data: _, ...spec } = this.spec;
    return {
      spec,
      address: this.address,
      allocation: this.#allocation,
      lockOffset: this.lockOffset,
      frozen: this.frozen,
    };
  }

  /** Makes this worker the one that reads the records; false when there is one already. */
  takeReader(): boolean {
    return Atomics.compareExchange(this.words, MapWord.READER, 0, this.space.cpu + 1) === 0;
  }

  /** Undoes `takeReader`. */
  giveReader(): void {
    Atomics.compareExchange(this.words, MapWord.READER, this.space.cpu + 1, 0);
  }

  /** Functions that programs call, by helper number. */
  get functions(): ReadonlyMap<number, RuntimeFunction> {
    if (this.#functions !== undefined) return this.#functions;
    const functions = new Map<number, RuntimeFunction>();
    const readOnly = (this.spec.flags & MapFlag.RDONLY_PROG) !== 0;
    for (const [helper, name] of Object.entries(this.kind.helpers)) {
      if (readOnly && (Number(helper) === MapHelper.UPDATE || Number(helper) === MapHelper.DELETE)) continue;
      functions.set(Number(helper), this.space.function(this.#variant(name), this.#ownConstants()));
    }
    this.#functions = functions;
    return functions;
  }

  /** For functions that are this map's alone. */
  #ownConstants(): MapConstants {
    const { layout } = this;
    const buckets = this.#allocation + layout.buckets;
    return { ...this.constants, place: { mask: layout.mask, buckets, elements: this.elements } };
  }

  /** Functions that JavaScript calls, by the names of {@link MapKind.own}. */
  call(name: string): RuntimeCall {
    if (this.#calls === undefined) {
      const own = Object.entries(this.kind.own).map(([key, name]) => [key, this.#variant(name)] as const);
      this.#calls = this.space.calls(Object.fromEntries(own), this.constants);
    }
    return this.#calls[name] as RuntimeCall;
  }

  /** How many hold it. */
  get holders(): number {
    return this.#holders;
  }

  /** One more holder. */
  hold(): void {
    this.#holders++;
  }

  /** One holder less; with the last one the memory is given back. */
  release(): void {
    if (--this.#holders > 0) return;
    for (const free of this.onFree) free();
    if (this.joined) return;
    this.space.memory.free(this.#allocation);
    this.space.give(this.address);
  }

  #variant(name: MapFunction): MapFunction {
    return this.lockOffset === undefined ? name : (locking[name] ?? name);
  }

  /** Writes the struct and what elements must begin with. */
  #fill(): void {
    const { space, spec, layout, words, kind } = this;
    const { memory, cpus } = space;
    const allocation = this.#allocation;
    words[MapWord.TYPE] = spec.type;
    words[MapWord.KEY_SIZE] = spec.keySize;
    words[MapWord.VALUE_SIZE] = spec.valueSize;
    words[MapWord.MAX_ENTRIES] = spec.maxEntries;
    words[MapWord.FLAGS] = spec.flags;
    words[MapWord.CPUS] = cpus;
    words[MapWord.STRIDE] = layout.stride;
    words[MapWord.ELEMENTS] = this.elements;
    words[MapWord.ELEMENT_SIZE] = layout.elementSize;
    words[MapWord.MASK] = layout.mask;
    words[MapWord.LOCK_OFFSET] = this.lockOffset ?? NO_LOCK;
    words[MapWord.CONFINED] = memory.regions === undefined ? 0 : 1;
    if (kind.shape === "bloom") words[MapWord.HASHES] = layout.hashes;
    if (kind.shape !== "hash") return;
    words[MapWord.BUCKETS] = allocation + layout.buckets;
    words[MapWord.SPARE] = allocation + layout.spare;
    words[MapWord.FREE] = -1;
    const buckets = new Uint32Array(memory.wasm.buffer, memory.index(allocation + layout.buckets), layout.mask + 1);
    // An odd number ends a bucket, and tells which.
    for (let i = 0; i < buckets.length; i++) buckets[i] = i * 2 + 1;
    const spare = new Uint32Array(memory.wasm.buffer, memory.index(allocation + layout.spare), cpus);
    for (let i = 0; i < cpus; i++) spare[i] = this.elements + (spec.maxEntries + i) * layout.elementSize;
  }

  /** Lets programs touch values, and read the keys that callbacks are given. */
  #open(): void {
    const { layout, spec, kind, elements, space } = this;
    const { memory } = space;
    if (memory.regions === undefined || layout.elementSize === 0 || kind.shape === "queue") return;
    const values = isPerCpu(spec.type) && kind.shape === "hash" ? space.cpus : 1;
    const access = (spec.flags & MapFlag.RDONLY_PROG) !== 0 || kind.contents === "sparse" ? "read" : "write";
    if (kind.contents === "reference") return;
    if (layout.key !== undefined) memory.setRegion(elements + layout.key, spec.keySize, "read");
    const size = spec.type === MapType.DEVMAP || spec.type === MapType.CPUMAP ? 8 : spec.valueSize;
    for (let i = 0; i < values; i++) memory.setRegion(elements + layout.value + i * layout.stride, size, access);
    memory.repeatRegion(elements, layout.elementSize, layout.elementCount);
    // Each worker's part of a per-CPU array is like the first one's.
    if (layout.workerBytes > 0) memory.repeatRegion(elements, layout.workerBytes, space.cpus);
  }
}
