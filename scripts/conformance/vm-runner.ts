// SPDX-License-Identifier: Apache-2.0

import { SkepError } from "@skep/ebpf";
import { VmEngine, type VmEngineOptions } from "@skep/vm";
import type { CaseOutcome, CaseRunner } from "./case-runner.ts";

/** Bytes of an engine's memory: the cases want little. */
const MEMORY = 1 << 20;

/** Ways of running a program that must all come to the same. */
export const vmModes: ReadonlyMap<string, VmEngineOptions> = new Map([
  ["memory64", { addressBits: 64, regions: false }],
  ["memory32", { addressBits: 32, regions: false }],
  ["regions", { regions: true }],
  ["no-fuel", { regions: false, fuel: false }],
]);

/** Runs cases in the engine over WebAssembly. */
export class VmRunner implements CaseRunner {
  readonly name: string;
  readonly verifies = false;
  readonly #engine: VmEngine;

  constructor(mode: string, options: VmEngineOptions) {
    this.name = `vm ${mode}`;
    this.#engine = new VmEngine({ memory: MEMORY, ...options });
  }

  run(instructions: Uint8Array, input: Uint8Array): CaseOutcome {
    const { memory } = this.#engine;
    using resources = new DisposableStack();
    let address = 0;
    if (input.length > 0) {
      address = memory.allocate(input.length);
      resources.defer(() => memory.free(address));
      memory.slice(address, input.length).set(input);
      memory.setRegion(address, input.length, "write");
    }
    try {
      const program = resources.use(this.#engine.loadInstructions(instructions));
      program.call(address, input.length);
      return { returned: program.result };
    } catch (error) {
      if (error instanceof SkepError) return { refused: error.message };
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#engine.close();
  }
}
