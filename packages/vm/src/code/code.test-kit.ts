// SPDX-License-Identifier: Apache-2.0

import { assemble } from "@skep/ebpf";
import type { Helper } from "../helper/helper.ts";
import { VmMemory } from "../memory/vm-memory.ts";
import { Worker } from "../worker.ts";
import { Code } from "./code.ts";
import { standardEmitters } from "./emitters.ts";
import { ModuleWriter } from "./module-writer.ts";
import { type ValidatedCode, validate } from "./validate.ts";

/** The ways in which modules are written. */
export const modes = [
  { name: "memory64", addressBits: 64, regions: false, fuel: 10_000_000 },
  { name: "memory32", addressBits: 32, regions: false, fuel: 10_000_000 },
  { name: "memory64 with regions", addressBits: 64, regions: true, fuel: 10_000_000 },
  { name: "memory32 with regions", addressBits: 32, regions: true, fuel: 10_000_000 },
  { name: "memory64 without fuel", addressBits: 64, regions: false, fuel: undefined },
] as const;

/** One of them. */
export type Mode = (typeof modes)[number];

/** Validates assembly; every helper may be called. */
export function validated(text: string): ValidatedCode {
  return validate("test", new Code(assemble(text).instructions), {
    packets: false,
    helperProblem: () => undefined,
    functionProblem: () => "there are none",
  });
}

/** A program alone: no engine, no maps. */
export class TestProgram {
  readonly memory: VmMemory;
  readonly worker: Worker;
  readonly #run: (r1: number, r2: number) => number;

  constructor(code: ValidatedCode, mode: Mode, helpers: readonly Helper[] = []) {
    const { addressBits, regions, fuel } = mode;
    this.memory = new VmMemory({ size: 1 << 20, addressBits, shared: false, regions });
    this.worker = new Worker(this.memory, 0);
    const taken = code.functions.filter(({ addressTaken }) => addressTaken).length;
    const base = this.worker.reserve(1 + taken);
    const options = {
      ...{
        addressBits,
        regions,
        fuel,
        shared: false,
        memorySize: this.memory.bytes.length,
        maps: { first: 0, end: 0 },
      },
      emitters: standardEmitters(),
      hashFactor: 0x9e37_79b9_7f4a_7c15n,
    };
    const unit = {
      ...{ name: "test", validated: code, references: new Map(), runtimeHelpers: new Map(), hostFunctions: new Map() },
      ...{ tableBase: base + 1, hasContext: false, narrowFields: new Map(), packet: undefined },
      helpers: new Map(helpers.map((helper) => [helper.id, helper])),
    };
    const translated = new ModuleWriter(options, unit).program(unit);
    const calls = translated.helpers.map(
      (helper) =>
        (...args: unknown[]) =>
          helper.call(this.worker.frame, ...args),
    );
    const exports = this.worker.instantiate(
      new WebAssembly.Module(translated.bytes),
      calls as WebAssembly.ImportValue[],
    );
    for (let i = 0; i < taken; i++) this.worker.table.set(base + 1 + i, exports[`f${i}`] as never);
    this.#run = exports["run"] as (r1: number, r2: number) => number;
  }

  /** Runs it and returns r0. */
  run(r1 = 0, r2 = 0): bigint {
    this.#run(r1, r2);
    return BigInt.asUintN(64, this.worker.result.value);
  }

  /** Memory that the program may touch. */
  put(bytes: Uint8Array): number {
    const address = this.memory.allocate(bytes.length);
    this.memory.slice(address, bytes.length).set(bytes);
    this.memory.setRegion(address, bytes.length, "write");
    return address;
  }
}
