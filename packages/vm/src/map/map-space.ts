// SPDX-License-Identifier: Apache-2.0

import { NotSupportedError } from "@skep/ebpf";
import { ADDRESS_BASE, type VmMemory } from "../memory/vm-memory.ts";
import type { MapConstants, RuntimeCall, RuntimeFunction } from "../runtime/runtime-function.ts";
import { storedFunction } from "../runtime/stored-function.ts";
import type { MapBlock } from "./map-block.ts";
import { MAP_HEADER_SIZE } from "./map-header.ts";
import { type MapFunction, mapsCode } from "./map-kinds.ts";

/** Makes functions of the runtime callable. */
export type CompileRuntime = (functions: readonly RuntimeFunction[]) => Readonly<Record<string, RuntimeCall>>;

/** What the maps of an engine are made in. */
export interface MapSpaceOptions {
  /** Nothing may have been allocated in it: the structs of the maps are at its beginning. In a part of one they are there already. */
  readonly memory: VmMemory;
  /** Workers: values of a per-CPU map. At most 128. */
  readonly cpus: number;
  /** Index of this worker. */
  readonly cpu: number;
  readonly compile: CompileRuntime;
  /** Maps that there can be at a time; as many as take a 64th of the memory unless given, 16,384 at most. */
  readonly maxMaps?: number;
}

/** Something that stays in the memory, or in the engine's table, while it is held. */
export interface Holdable {
  /** Keeps it until what is returned is disposed. */
  hold?(): Disposable;
}

const MOST_MAPS = 16_384;
/** The same where workers share them: each has the functions of a map at the same place of its table, used or not. */
const MOST_SHARED_MAPS = 1024;
/** Maps that each other worker has for itself. */
const OWN_MAPS = 16;
/** Workers that a record of a ring buffer can name. */
const MOST_CPUS = 128;

/**
 * The maps of an engine. Their structs lie side by side from the beginning of the memory, so that an address that a program
 * made up is told from a map by a comparison; the first place has `struct vm_globals` (bpf/maps.h).
 */
export class MapSpace {
  readonly memory: VmMemory;
  readonly cpus: number;
  readonly cpu: number;
  /** Address of the first map's struct; the others follow {@link MAP_HEADER_SIZE} bytes apart. */
  readonly first: number;
  /** Where the places of maps end: worker 0's and then those of each other worker. */
  readonly end: number;
  /** How many this worker can make. */
  readonly #most: number;
  readonly #ownEnd: number;
  readonly #compile: CompileRuntime;
  readonly #blocks = new Map<number, MapBlock>();
  readonly #free: number[] = [];
  readonly #calls = new Map<string, Readonly<Record<string, RuntimeCall>>>();
  #next: number;

  constructor({ memory, cpus, cpu, compile, maxMaps }: MapSpaceOptions) {
    if (!(Number.isInteger(cpus) && cpus >= 1 && cpus <= MOST_CPUS)) {
      throw new NotSupportedError(`an engine with ${cpus} workers (1 to ${MOST_CPUS} are)`);
    }
    this.memory = memory;
    this.cpus = cpus;
    this.cpu = cpu;
    this.#compile = compile;
    this.first = ADDRESS_BASE + MAP_HEADER_SIZE;
    const others = (cpus - 1) * OWN_MAPS * MAP_HEADER_SIZE;
    if (memory.whole) {
      const most = Math.min(cpus === 1 ? MOST_MAPS : MOST_SHARED_MAPS, memory.bytes.length / 64 / MAP_HEADER_SIZE);
      this.#most = maxMaps ?? Math.max(1, Math.floor(most));
      const size = this.#most * MAP_HEADER_SIZE + others;
      const globals = memory.allocate(MAP_HEADER_SIZE + size, MAP_HEADER_SIZE);
      if (globals !== ADDRESS_BASE) throw new Error("maps must be the first thing in an engine's memory");
      this.#next = this.first;
      this.end = this.first + size;
      memory.view.setUint32(memory.index(globals), this.end, true);
    } else {
      this.#most = OWN_MAPS;
      this.end = memory.view.getUint32(memory.index(ADDRESS_BASE), true);
      this.#next = this.end - (cpus - cpu) * OWN_MAPS * MAP_HEADER_SIZE;
      // A thread that was ended may have left some.
      memory.slice(this.#next, OWN_MAPS * MAP_HEADER_SIZE).fill(0);
    }
    this.#ownEnd = this.#next + this.#most * MAP_HEADER_SIZE;
  }

  /** How many places of maps there are. */
  get places(): number {
    return (this.end - this.first) / MAP_HEADER_SIZE;
  }

  /** The number of a map's place, from 0 on. */
  placeOf(address: number): number {
    return (address - this.first) / MAP_HEADER_SIZE;
  }

  /** The maps that there are. */
  get blocks(): Iterable<MapBlock> {
    return this.#blocks.values();
  }

  /** The map whose struct lies at an address; undefined when there is none. */
  blockAt(address: number): MapBlock | undefined {
    return this.#blocks.get(address);
  }

  /** A place for a map's struct, zeroed. Throws NotSupportedError when there are too many maps. */
  take(block: MapBlock): number {
    const address = this.#free.pop() ?? this.#next;
    if (address >= this.#ownEnd) {
      throw new NotSupportedError(`more than ${this.#most} maps in an engine; make it with more \`memory\``);
    }
    if (address === this.#next) this.#next += MAP_HEADER_SIZE;
    this.#blocks.set(address, block);
    return address;
  }

  /** Makes a map known that another worker made. */
  put(address: number, block: MapBlock): void {
    this.#blocks.set(address, block);
  }

  /** Takes a place back. */
  give(address: number): void {
    this.memory.slice(address, MAP_HEADER_SIZE).fill(0);
    this.#blocks.delete(address);
    this.#free.push(address);
  }

  /** A function in C, for maps of this shape. */
  function(name: MapFunction, constants: MapConstants | undefined): RuntimeFunction {
    return storedFunction(name, mapsCode[name], constants);
  }

  /** Functions for JavaScript, by the names that they are given here; compiled once for all maps of a shape. */
  calls(names: Readonly<Record<string, MapFunction>>, constants: MapConstants): Readonly<Record<string, RuntimeCall>> {
    const key = JSON.stringify([names, constants]);
    let calls = this.#calls.get(key);
    if (calls === undefined) {
      const compiled = this.#compile(Object.values(names).map((name) => this.function(name, constants)));
      calls = Object.fromEntries(Object.entries(names).map(([own, name]) => [own, compiled[name] as RuntimeCall]));
      this.#calls.set(key, calls);
    }
    return calls;
  }
}
