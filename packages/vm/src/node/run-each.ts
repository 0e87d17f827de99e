// SPDX-License-Identifier: Apache-2.0

import type { LoadedProgram } from "@skep/ebpf";
import type { VmRunOptions, VmRunResult } from "../run/run-options.ts";
import type { VmProgram } from "../vm-program.ts";
import { inBatches } from "./in-batches.ts";
import { isRunError, type OpenCounters, ProgramStream, type StreamOptions, vmProgramOf } from "./program-stream.ts";

/** Inputs that are taken from their source at once at most. */
const AT_ONCE = 64;

/**
 * Runs a program once for each input of a source: contexts, packets with a context, whatever its type takes. Each result tells
 * all that `run` tells, redirects included. Throws InvalidValueError for programs of other engines.
 */
export function runEach(
  program: LoadedProgram | VmProgram,
  inputs: AsyncIterable<VmRunOptions> | Iterable<VmRunOptions>,
  options: StreamOptions = {},
): ProgramStream<VmRunResult> {
  return streamOfRuns(program, () => inputs, options);
}

/** The stream of the runs on inputs, whose source is made when the stream begins and counts what it drops. */
export function streamOfRuns(
  program: LoadedProgram | VmProgram,
  source: (counters: OpenCounters) => AsyncIterable<VmRunOptions> | Iterable<VmRunOptions>,
  { signal, faults }: StreamOptions,
): ProgramStream<VmRunResult> {
  const vm = vmProgramOf(program);
  return new ProgramStream(async function* run(counters) {
    for await (const batch of inBatches(source(counters), AT_ONCE, signal)) {
      const results: VmRunResult[] = [];
      for (const input of batch) {
        counters.fed++;
        try {
          results.push(vm.run(input));
        } catch (error) {
          counters.failed++;
          if (faults === "count" && isRunError(error)) continue;
          if (results.length > 0) yield results;
          throw error;
        }
      }
      if (results.length > 0) yield results;
    }
  });
}
