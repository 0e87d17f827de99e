// SPDX-License-Identifier: Apache-2.0

import { type LoadableProgram, ProgramType } from "@skep/ebpf";
import { KernelEngine } from "@skep/kernel";
import { type Benchmark, median, type Row } from "./benchmark.ts";
import { generateProgram, type ProgramShape } from "./generated-program.ts";
import { type Phases, phasesOf } from "./vm-phases.ts";

const shapes: readonly ProgramShape[] = ["straight", "diamonds", "loops", "mixed"];
const rounds = 9;
const seed = 20260807;

/** A kind of program, and what became of one of it in each round. */
interface Subject {
  readonly shape: ProgramShape;
  readonly size: number;
  readonly runs: Phases[];
  /** Milliseconds that the kernel took to verify, compile and run it. */
  readonly kernel: number[];
}

/** From instructions to a first result, by size: beside the kernel's verifier and compiler, and beside a tenth of the size. */
export const vmCompile: Benchmark = {
  name: "vm-compile",
  description: "the userspace engine: validate, translate, first result of programs of 1,000 to 100,000 instructions",
  reference: "reference",
  async run(report) {
    using kernel = new KernelEngine();
    const subjects = shapes.flatMap((shape) =>
      [1_000, 10_000, 100_000].map((size): Subject => ({ shape, size, runs: [], kernel: [] })),
    );
    for (let round = 0; round <= rounds; round++) {
      for (const { shape, size, runs, kernel: times } of subjects) {
        // Another one each round: V8 keeps what it compiled of a module, and finds it again by its bytes.
        const program = loadable(shape, size, seed + round);
        const phases = phasesOf(program);
        // Of 100,000 the kernel refuses one for its branches (8,192 are the most on a path), and takes seconds over another.
        const theirs = size > 10_000 ? undefined : inKernel(kernel, program);
        if (theirs !== undefined && theirs.returned !== phases.returned) {
          throw new Error(`${shape}, ${size}: the result is ${phases.returned}, the kernel's is ${theirs.returned}`);
        }
        // The first brings V8 to compile the translator.
        if (round === 0) continue;
        runs.push(phases);
        if (theirs !== undefined) times.push(theirs.elapsed);
        report(`round ${round}/${rounds}, ${shape}, ${size}`);
      }
    }
    const beside = subjects.flatMap(({ shape, size, runs, kernel: times }): Row[] => {
      if (times.length === 0) return [];
      const each = runs.map(({ firstResult }, i) => firstResult / (times[i] as number));
      const value = median(runs.map(({ firstResult }) => firstResult));
      const row = { case: `${shape}, ${named(size)}: first result by the kernel's`, value, unit: "ms" };
      return [{ ...row, reference: median(times), ratio: median(each) }];
    });
    const growth = shapes.flatMap((shape) => growthOf(subjects.filter((each) => each.shape === shape)));
    const tens = subjects.filter(({ size }) => size === 10_000);
    const slowest = Math.max(...tens.map(({ runs }) => median(runs.map(({ firstResult }) => firstResult))));
    const steepest = Math.max(...growth.filter((row) => row.case.includes(": 100k by 10k")).map(({ ratio }) => ratio));
    return [
      ...beside,
      ...growth,
      { case: "aim: 100k by 10k, the worst", value: steepest, unit: "ratio", reference: 12, ratio: steepest / 12 },
      { case: "aim: 10k, the slowest", value: slowest, unit: "ms", reference: 40, ratio: slowest / 40 },
    ];
  },
};

/** Each phase beside the same at a tenth of the size. */
function growthOf(sizes: readonly Subject[]): Row[] {
  const phases = ["validate", "translate", "firstResult"] as const;
  return sizes.slice(1).flatMap((larger, i): Row[] => {
    const smaller = sizes[i] as Subject;
    return phases.map((phase) => {
      const value = median(larger.runs.map((run) => run[phase]));
      const reference = median(smaller.runs.map((run) => run[phase]));
      const ratio = median(larger.runs.map((run, round) => run[phase] / (smaller.runs[round] as Phases)[phase]));
      const name = phase === "firstResult" ? "first result" : phase;
      const by = `${named(larger.size)} by ${named(smaller.size)}`;
      return { case: `${larger.shape}, ${name}: ${by}`, value, unit: "ms", reference, ratio };
    });
  });
}

function named(size: number): string {
  return `${size / 1000}k`;
}

function inKernel(engine: KernelEngine, program: LoadableProgram): { elapsed: number; returned: number } {
  const start = performance.now();
  using loaded = engine.loadProgram(program);
  const { returned } = loaded.run({ data: new Uint8Array(64) });
  return { elapsed: performance.now() - start, returned };
}

function loadable(shape: ProgramShape, size: number, programSeed: number): LoadableProgram {
  const instructions = generateProgram(shape, size, programSeed);
  return {
    spec: {
      name: `${shape}_${size}`,
      section: "socket",
      type: ProgramType.SOCKET_FILTER,
      expectedAttachType: 0,
      flags: 0,
      attachTo: "",
      target: undefined,
      instructions,
      mapReferences: [],
      externReferences: [],
      coreRelocations: [],
      functionInfo: [],
      lineInfo: [],
      license: "GPL",
      kernelVersion: 0,
    },
    instructions,
    maps: new Map(),
    types: undefined,
  };
}
