// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, LoadedProgram } from "@skep/ebpf";
import { VmFault } from "../vm-fault.ts";
import { VmProgram } from "../vm-program.ts";

/** How a stream of runs goes on. */
export interface StreamOptions {
  /** Ends the stream without an error; what was read and not run yet is left. */
  readonly signal?: AbortSignal;
  /**
   * What a fault does, and input that a run refuses. `end`: the stream throws it, a VmFault or an InvalidValueError, after the
   * results before it. `count`: it is counted as failed, there is no result, and the stream goes on. `end` unless given.
   */
  readonly faults?: "end" | "count";
}

/** What a stream counted since it began. */
export interface StreamCounters {
  /** Items that were given to the program. */
  readonly fed: number;
  /** Of those, the ones that have no result: runs that ended in a fault, or whose input was refused. */
  readonly failed: number;
  /** Items that the program was never given: there was no room for them to wait, or they came while it was busy. */
  readonly dropped: number;
}

/** The counters as a source writes them. */
export interface OpenCounters {
  fed: number;
  failed: number;
  dropped: number;
}

/**
 * Results of a program's runs, one for each item of a source, in their order. It pulls: nothing is read and run before it is
 * asked for. Iterated once; leaving the loop ends the source.
 */
export class ProgramStream<R> implements AsyncIterable<R> {
  /** Live: what there was so far. */
  readonly counters: StreamCounters;
  readonly #batches: AsyncGenerator<readonly R[], void, undefined>;

  /** `run` gives the results in batches as they come, and counts. */
  constructor(run: (counters: OpenCounters) => AsyncGenerator<readonly R[], void, undefined>) {
    const counters = { fed: 0, failed: 0, dropped: 0 };
    this.counters = counters;
    this.#batches = run(counters);
  }

  /** The same results as they come, many at once: an await for each batch alone. */
  batches(): AsyncIterable<readonly R[]> {
    return this.#batches;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    for await (const batch of this.#batches) yield* batch;
  }
}

/** The program of a VmEngine. Throws InvalidValueError for those of other engines. */
export function vmProgramOf(program: LoadedProgram | VmProgram): VmProgram {
  const inner = program instanceof LoadedProgram ? program.program : program;
  if (inner instanceof VmProgram) return inner;
  throw new InvalidValueError(`program "${inner.name}" belongs to another engine than vm`);
}

/** Whether an error ends a run and no more than that. */
export function isRunError(error: unknown): error is VmFault | InvalidValueError {
  return error instanceof VmFault || error instanceof InvalidValueError;
}
