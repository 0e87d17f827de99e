// SPDX-License-Identifier: Apache-2.0

import type { HelperFrame } from "./helper/helper.ts";
import type { VmMemory } from "./memory/vm-memory.ts";
import type { RunState } from "./run/run-state.ts";

/** What the helpers that a program calls can reach: what those of its worker can, and runs of the program's callbacks. */
export class ProgramFrame implements HelperFrame {
  readonly memory: VmMemory;
  readonly state: RunState;
  readonly #worker: HelperFrame;
  readonly #run: (callback: number, args: readonly number[]) => number;

  /** `run` makes a run of its own of a callback. */
  constructor(worker: HelperFrame, run: (callback: number, args: readonly number[]) => number) {
    this.memory = worker.memory;
    this.state = worker.state;
    this.#worker = worker;
    this.#run = run;
  }

  get attachCookie(): bigint {
    return this.#worker.attachCookie;
  }

  get functionAddress(): number {
    return this.#worker.functionAddress;
  }

  call(callback: number, ...args: readonly number[]): number {
    return this.#worker.call(callback, ...args);
  }

  bind(callback: number): (...args: readonly number[]) => number {
    return (...args) => this.#run(callback, args);
  }
}
