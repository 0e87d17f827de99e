// SPDX-License-Identifier: Apache-2.0

import { indirectHelpers } from "./map/indirect-helpers.ts";
import type { MapBlock } from "./map/map-block.ts";
import { MapWord } from "./map/map-header.ts";
import type { MapSpace } from "./map/map-space.ts";
import type { CompiledRuntime } from "./runtime/compile-runtime.ts";
import type { RuntimeFunction } from "./runtime/runtime-function.ts";
import type { Worker } from "./worker.ts";

/** The first index of a worker's table that is not a map's, whatever maps there will be. */
export function firstIndexAfterMaps(space: MapSpace): number {
  return space.cpus === 1 ? 1 : 1 + space.places * indirectHelpers.length;
}

/**
 * The functions of maps in a worker's table, for programs that find out which map they have when they run. Where workers
 * share maps, a map's index goes by its place, so that the one in its struct is right in each worker's table.
 */
export class MapTables {
  readonly #space: MapSpace;
  readonly #worker: Worker;
  readonly #compile: (functions: readonly RuntimeFunction[]) => CompiledRuntime;
  /** Whether there are such programs: until then the table is left empty. */
  #wanted = false;

  constructor(space: MapSpace, worker: Worker, compile: (functions: readonly RuntimeFunction[]) => CompiledRuntime) {
    this.#space = space;
    this.#worker = worker;
    this.#compile = compile;
  }

  /** There is a map. */
  add(map: MapBlock): void {
    if (this.#space.cpus > 1) {
      map.words[MapWord.TABLE] = 1 + this.#space.placeOf(map.address) * indirectHelpers.length;
    }
    if (this.#wanted) this.#put(map);
  }

  /** There is a program that needs them, from now on of all maps. */
  want(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    for (const map of this.#space.blocks) this.#put(map);
  }

  #put(map: MapBlock): void {
    const functions = [...new Set(map.functions.values())];
    const { entries } = this.#compile([...functions, absent, notSupported]);
    if (this.#space.cpus === 1) map.words[MapWord.TABLE] = this.#worker.reserve(indirectHelpers.length);
    const first = map.words[MapWord.TABLE] as number;
    for (const [i, id] of indirectHelpers.entries()) {
      const { name } = map.functions.get(id) ?? (lookups.has(id) ? absent : notSupported);
      this.#worker.table.set(first + i, entries[name] as never);
    }
  }
}

/** `r0 = value; exit`. */
function constantFunction(name: string, value: number): RuntimeFunction {
  const instructions = new Uint8Array(16);
  instructions[0] = 0xb7;
  new DataView(instructions.buffer).setInt32(4, value, true);
  instructions[8] = 0x95;
  return { name, instructions, constants: undefined };
}

/** In the place of what a map cannot do: lookups find nothing, all others are -EOPNOTSUPP. */
const absent: RuntimeFunction = constantFunction("absent", 0);
const notSupported: RuntimeFunction = constantFunction("not_supported", -95);
const lookups: ReadonlySet<number> = new Set([1, 131, 195]);
