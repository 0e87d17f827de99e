// SPDX-License-Identifier: Apache-2.0

import { VerifierError } from "@skep/ebpf";
import { isSystemCallError, KernelEngine } from "@skep/kernel";
import type { FuzzResult } from "../../../packages/ebpf/src/fuzz/fuzz-result.ts";
import { VmEngine } from "../../../packages/vm/src/vm-engine.ts";
import { compareTraces } from "./compare-traces.ts";
import { EngineSide, programText, type Trace } from "./engine-side.ts";
import { type FuzzInput, generateInput } from "./fuzz-input.ts";
import { type FuzzProgram, generateProgram } from "./generate-program.ts";
import { minimiseProgram } from "./minimise-program.ts";
import { kindOf, opcodeKinds } from "./opcode-kinds.ts";
import { Counters, vmModes, vmSide } from "./vm-side.ts";

/** Inputs that each program is run on. */
const INPUTS = 2;
/** Kinds that the engine has no code for, so that it cannot count them: for these the runs count that must have been. */
const UNCOUNTED = new Set(["ja", "ja32", "exit"]);

/** Runs random programs in the kernel and in the engine, in each of its modes in turn, and compares. */
export class VmFuzzer implements Disposable {
  readonly slowMilliseconds = 5000;
  readonly #resources = new DisposableStack();
  readonly #kernel = this.#resources.use(new EngineSide(new KernelEngine()));
  readonly #modes: readonly { readonly name: string; readonly side: EngineSide; readonly counters: Counters }[];
  readonly #certain = new Map<string, number>();

  constructor() {
    this.#modes = vmModes.map((mode) => {
      const counters = new Counters(mode.options.addressBits ?? 64);
      const side = this.#resources.use(vmSide(mode, counters.emitters));
      if (side.engine instanceof VmEngine) counters.place(side.engine);
      return { name: mode.name, side, counters };
    });
  }

  /** Runs the program of a seed. Throws when the engines differ, with the least program that still does. */
  run(seed: number): FuzzResult {
    const start = performance.now();
    const program = generateProgram(seed);
    const size = program.code.length * 8;
    const inputs = inputsOf(seed, program.type);
    const wanted = kernelTraces(this.#kernel, program, inputs);
    const mode = this.#modes[seed % this.#modes.length];
    if (wanted === undefined || mode === undefined) {
      return { outcome: "refused by the kernel", milliseconds: performance.now() - start, size };
    }
    const found = vmTraces(mode.side, program, inputs);
    if (typeof found === "string" || differences(wanted, found).length > 0) {
      throw new Error(this.#explain(program, inputs, mode));
    }
    for (const [i, instruction] of program.code.entries()) {
      const { name } = kindOf(instruction);
      if (!UNCOUNTED.has(name)) continue;
      this.#certain.set(name, (this.#certain.get(name) ?? 0) + INPUTS * (program.runs[i] ?? 0));
    }
    return { outcome: "agreed", milliseconds: performance.now() - start, size };
  }

  /** How often instructions of each kind were executed, so far. */
  histogram(): Record<string, number> {
    const counts = this.#modes.map(({ counters }) => counters.read());
    return Object.fromEntries(
      opcodeKinds.map(({ name }, i) => [
        name,
        this.#certain.get(name) ?? counts.reduce((sum, each) => sum + (each[i] ?? 0), 0),
      ]),
    );
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  #explain(
    program: FuzzProgram,
    inputs: readonly FuzzInput[],
    mode: { readonly name: string; readonly side: EngineSide },
  ): string {
    const outcome = (candidate: FuzzProgram): string[] => {
      const wanted = kernelTraces(this.#kernel, candidate, inputs);
      if (wanted === undefined || (candidate !== program && wanted.some(showsPointer))) return [];
      const found = vmTraces(mode.side, candidate, inputs);
      return typeof found === "string" ? [found] : differences(wanted, found);
    };
    const kind = kindOfFailure(outcome(program));
    const least = minimiseProgram(program, (candidate) => kindOfFailure(outcome(candidate)) === kind);
    const lines = outcome(least);
    return [
      `program type ${program.type}, ${mode.name}, differs:`,
      ...(lines.length > 0 ? lines : ["once, and not again"]),
      programText(least),
    ].join("\n");
  }
}

/** What a failure is about, so that a smaller program does not fail of something else: its error, or that it differs. */
function kindOfFailure([first]: readonly string[]): string {
  if (first === undefined) return "none";
  return first.startsWith("input ") ? "differs" : (first.split("\n")[0] ?? "").replace(/\d+/g, "");
}

/** Whether what a program keeps looks like an address of the kernel. A smaller program may keep one, by no fault of an engine. */
function showsPointer(trace: Trace): boolean {
  const dump = trace.get("dump") ?? new Uint8Array();
  const view = new DataView(dump.buffer, dump.byteOffset, dump.byteLength);
  for (let at = 0; at + 8 <= dump.length; at += 8) {
    const upper = view.getUint32(at + 4, true);
    if (upper >= 0xffff8000 && upper < 0xffffff00) return true;
  }
  return false;
}

/** The inputs of a program's seed. */
export function inputsOf(seed: number, type: number): FuzzInput[] {
  return Array.from({ length: INPUTS }, (_, i) => generateInput(seed * INPUTS + i, type));
}

/** What the kernel makes of a program, an input each; undefined when its verifier refuses it. */
export function kernelTraces(
  side: EngineSide,
  program: FuzzProgram,
  inputs: readonly FuzzInput[],
): Trace[] | undefined {
  try {
    using loaded = side.load(program, 0);
    return inputs.map((input) => side.run(loaded, input));
  } catch (error) {
    if (error instanceof VerifierError || isSystemCallError(error)) return undefined;
    throw error;
  }
}

/** What the engine makes of it, or the error that it ends with. */
export function vmTraces(side: EngineSide, program: FuzzProgram, inputs: readonly FuzzInput[]): Trace[] | string {
  try {
    using loaded = side.load(program);
    return inputs.map((input) => side.run(loaded, input));
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** Where the runs of a program differ. */
export function differences(wanted: readonly Trace[], found: readonly Trace[]): string[] {
  return wanted.flatMap((trace, i) => compareTraces(trace, found[i] ?? new Map()).map((line) => `input ${i}, ${line}`));
}
