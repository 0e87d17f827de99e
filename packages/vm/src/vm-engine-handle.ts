// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "@skep/ebpf";
import type { SharedMap } from "./map/shared-map.ts";
import type { MemoryPart } from "./memory/vm-memory.ts";
import type { VmEngineOptions } from "./vm-engine-options.ts";

/** What the workers of an engine have in common, and which of them one is. */
export interface EngineShape {
  /** Index of the worker: what `bpf_get_smp_processor_id` gives. */
  readonly worker: number;
  readonly workers: number;
  /** Instructions that a run may take, about. */
  readonly fuel: number | false;
  /** Odd; what keys are hashed with. */
  readonly hashFactor: bigint;
}

/**
 * An engine as a worker in another thread joins it (`VmEngine.join`). Plain data over shared memory: post it with
 * `postMessage` or as `workerData`. It knows the maps that there were when it was made.
 */
export interface VmEngineHandle extends EngineShape {
  /** The memory, and the part of it that is this worker's alone. */
  readonly memory: MemoryPart;
  /** In the order in which they were made. */
  readonly maps: readonly SharedMap[];
}

const DEFAULT_FUEL = 100_000_000;

/** Of worker 0. Throws InvalidValueError. */
export function engineShape({ workers = 1, fuel = DEFAULT_FUEL }: VmEngineOptions): EngineShape {
  if (fuel !== false && !(Number.isSafeInteger(fuel) && fuel > 0)) {
    throw new InvalidValueError(`the fuel is ${fuel}; wanted is a positive number of instructions, or false`);
  }
  const hashFactor = (crypto.getRandomValues(new BigUint64Array(1))[0] as bigint) | 1n;
  return { worker: 0, workers, fuel, hashFactor };
}

/** What a worker needs: its stack, and the packet and context of a run. */
const LEAST_PART = 512 << 10;
/** More is for batches of packets. */
const MOST_PART = 4 << 20;

/** Bytes of an engine's memory that each worker but the first has for itself. */
export function partSize(memory: number, workers: number): number {
  return Math.max(LEAST_PART, Math.min(MOST_PART, Math.floor(memory / 4 / workers / 64) * 64));
}
