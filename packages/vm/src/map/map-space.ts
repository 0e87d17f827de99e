// SPDX-License-Identifier: Apache-2.0

import { NotSupportedError, objectFromBase64 } from "@skep/ebpf";
import { ADDRESS_BASE, type VmMemory } from "../memory/vm-memory.ts";
import type { MapConstants, RuntimeCall, RuntimeFunction } from "../runtime/runtime-function.ts";
import type { MapBlock } from "./map-block.ts";
import { MAP_HEADER_SIZE } from "./map-header.ts";
import { type MapFunction, mapsCode } from "./map-kinds.ts";

/** Makes functions of the runtime callable. */
export type CompileRuntime = (functions: readonly RuntimeFunction[]) => Readonly<Record<string, RuntimeCall>>;

/** What the maps of an engine are made in. */
export interface MapSpaceOptions {
  /** Nothing may have been allocated in it: the structs of the maps are at its beginning. */
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
  /** Where the places of maps end. */
  readonly end: number;
  readonly #compile: CompileRuntime;
  readonly #blocks = new Map<number, MapBlock>();
  readonly #free: number[] = [];
  readonly #instructions = new Map<MapFunction, Uint8Array>();
  readonly #calls = new Map<string, Readonly<Record<string, RuntimeCall>>>();
  #next: number;

  constructor({ memory, cpus, cpu, compile, maxMaps }: MapSpaceOptions) {
    if (!(Number.isInteger(cpus) && cpus >= 1 && cpus <= MOST_CPUS)) {
      throw new NotSupportedError(`an engine with ${cpus} workers (1 to ${MOST_CPUS} are)`);
    }
    const fitting = Math.floor(memory.bytes.length / 64 / MAP_HEADER_SIZE);
    const maps = maxMaps ?? Math.max(1, Math.min(MOST_MAPS, fitting));
    this.memory = memory;
    this.cpus = cpus;
    this.cpu = cpu;
    this.#compile = compile;
    const globals = memory.allocate((maps + 1) * MAP_HEADER_SIZE, MAP_HEADER_SIZE);
    if (globals !== ADDRESS_BASE) throw new Error("maps must be the first thing in an engine's memory");
    this.first = globals + MAP_HEADER_SIZE;
    this.end = this.first + maps * MAP_HEADER_SIZE;
    this.#next = this.first;
    memory.view.setUint32(memory.index(globals), this.end, true);
  }

  /** The map whose struct lies at an address; undefined when there is none. */
  blockAt(address: number): MapBlock | undefined {
    return this.#blocks.get(address);
  }

  /** A place for a map's struct, zeroed. Throws NotSupportedError when there are too many maps. */
  take(block: MapBlock): number {
    const address = this.#free.pop() ?? this.#next;
    if (address >= this.end) {
      const most = (this.end - this.first) / MAP_HEADER_SIZE;
      throw new NotSupportedError(`more than ${most} maps in an engine; make it with more \`memory\``);
    }
    if (address === this.#next) this.#next += MAP_HEADER_SIZE;
    this.#blocks.set(address, block);
    return address;
  }

  /** Takes a place back. */
  give(address: number): void {
    this.memory.slice(address, MAP_HEADER_SIZE).fill(0);
    this.#blocks.delete(address);
    this.#free.push(address);
  }

  /** A function in C, for maps of this shape. */
  function(name: MapFunction, constants: MapConstants | undefined): RuntimeFunction {
    let instructions = this.#instructions.get(name);
    if (instructions === undefined) {
      instructions = objectFromBase64(mapsCode[name]);
      this.#instructions.set(name, instructions);
    }
    return { name, instructions, constants };
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
