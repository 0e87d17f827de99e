// SPDX-License-Identifier: Apache-2.0

import { KernelEngine } from "@skep/kernel";
import { standardEmitters } from "../../../packages/vm/src/code/emitters.ts";
import { EngineSide, type Trace } from "./engine-side.ts";
import type { FuzzInput } from "./fuzz-input.ts";
import { type FuzzProgram, generateProgram } from "./generate-program.ts";
import { type Mutant, makeMutants } from "./mutants.ts";
import { kindOf, type OpcodeKind } from "./opcode-kinds.ts";
import { differences, inputsOf, kernelTraces, vmTraces } from "./vm-fuzzer.ts";
import { vmModes, vmSide } from "./vm-side.ts";

/** A program and what it comes to. */
interface Sample {
  readonly program: FuzzProgram;
  readonly inputs: readonly FuzzInput[];
  readonly wanted: readonly Trace[];
}

/** What became of the mutants. */
export interface MutationResult {
  readonly caught: number;
  readonly survivors: readonly Mutant[];
  /** Mutants that there was no time for. */
  readonly untried: number;
  /** Programs that it took, for the mutant that took most. */
  readonly most: number;
  /** Programs left out, since the engine as it is does not agree with the kernel about them. */
  readonly unsound: number;
}

/** Random programs whose traces are known, which mutants are tried on. */
const SAMPLES = 4000;

/**
 * Breaks the translation of one kind of instruction after the other, and looks whether the fuzzer's programs notice.
 * `report` is told now and then how many mutants are done.
 */
export function runMutants(seed: number, end: number, report: (done: number, all: number) => void): MutationResult {
  const table = standardEmitters();
  const sound = [...table];
  // Confined, so that what a mutant breaks is its own run.
  const mode = vmModes.find(({ options }) => options.regions === true);
  if (mode === undefined) throw new Error("there is no mode with regions");
  let side = vmSide(mode, table);
  const { samples, unsound } = collect(seed, side);
  const mutants = makeMutants();
  const probe = [...samples.values()].map(([first]) => first).filter((each) => each !== undefined);
  const survivors: Mutant[] = [];
  let most = 0;
  let done = 0;
  for (const mutant of mutants) {
    if (performance.now() > end) break;
    // The engine reads the table each time that it translates a program.
    mutant.install?.(table);
    const tried = trial(side, mutant, samples.get(mutant.kind) ?? []);
    if (tried === undefined) survivors.push(mutant);
    else most = Math.max(most, tried);
    table.splice(0, table.length, ...sound);
    if (trial(side, {}, probe) !== undefined) {
      side[Symbol.dispose]();
      side = vmSide(mode, table);
    }
    if (++done % 50 === 0) report(done, mutants.length);
  }
  side[Symbol.dispose]();
  return { caught: done - survivors.length, survivors, untried: mutants.length - done, most, unsound };
}

/** How many programs it took to catch a mutant; undefined when none did. */
function trial(side: EngineSide, { rewrite }: Pick<Mutant, "rewrite">, samples: readonly Sample[]): number | undefined {
  for (const [i, { program, inputs, wanted }] of samples.entries()) {
    const code = rewrite?.(program.code) ?? program.code;
    const found = vmTraces(side, { ...program, code }, inputs);
    if (typeof found === "string" || differences(wanted, found).length > 0) return i + 1;
  }
  return undefined;
}

/**
 * Programs that the kernel and the engine as it is agree about, by the kinds of instruction that are in them, and the number
 * of those that they do not agree about: these would catch any mutant.
 */
function collect(seed: number, side: EngineSide): { samples: Map<OpcodeKind, Sample[]>; unsound: number } {
  using kernel = new EngineSide(new KernelEngine());
  const samples = new Map<OpcodeKind, Sample[]>();
  let unsound = 0;
  for (let i = 0; i < SAMPLES; i++) {
    const program = generateProgram(seed + i);
    const inputs = inputsOf(seed + i, program.type);
    const wanted = kernelTraces(kernel, program, inputs);
    if (wanted === undefined) continue;
    const found = vmTraces(side, program, inputs);
    if (typeof found === "string" || differences(wanted, found).length > 0) {
      unsound++;
      continue;
    }
    for (const kind of new Set(program.code.map(kindOf))) {
      const known = samples.get(kind);
      if (known === undefined) samples.set(kind, [{ program, inputs, wanted }]);
      else known.push({ program, inputs, wanted });
    }
  }
  return { samples, unsound };
}
