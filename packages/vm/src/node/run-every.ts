// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";
import { InvalidValueError, type LoadedProgram } from "@skep/ebpf";
import type { VmRunOptions, VmRunResult } from "../run/run-options.ts";
import type { VmProgram } from "../vm-program.ts";
import type { OpenCounters, ProgramStream, StreamOptions } from "./program-stream.ts";
import { streamOfRuns } from "./run-each.ts";

/** How a program is run by the clock. */
export interface TimerStreamOptions extends StreamOptions {
  /** Makes the input of a run, which is told how many there were before it; nothing unless given. */
  readonly input?: (run: number) => VmRunOptions;
}

/** The longest that a timer of Node waits; it takes more for none. */
const LONGEST = 2 ** 31 - 1;

/**
 * Runs a program every so many milliseconds, for the first time after that long. A tick that comes while the result of the one
 * before was not asked for yet is dropped, so that there is never a burst; the others keep to the beat. Throws InvalidValueError
 * for a time that no timer can wait, and for programs of other engines.
 */
export function runEvery(
  program: LoadedProgram | VmProgram,
  milliseconds: number,
  options: TimerStreamOptions = {},
): ProgramStream<VmRunResult> {
  if (!(milliseconds >= 1 && milliseconds <= LONGEST)) {
    throw new InvalidValueError(`a program cannot be run every ${milliseconds} ms; wanted is 1 to ${LONGEST}`);
  }
  const { input = nothing, signal } = options;
  return streamOfRuns(program, (counters) => ticks(milliseconds, input, counters, signal), options);
}

async function* ticks(
  milliseconds: number,
  input: (run: number) => VmRunOptions,
  counters: OpenCounters,
  signal: AbortSignal | undefined,
): AsyncGenerator<VmRunOptions, void, undefined> {
  let due = performance.now() + milliseconds;
  for (let run = 0; ; run++) {
    const missed = Math.max(0, Math.floor((performance.now() - due) / milliseconds));
    counters.dropped += missed;
    due += missed * milliseconds;
    const left = due - performance.now();
    if (left > 0) await sleepUntilAborted(left, signal);
    if (signal?.aborted) return;
    due += milliseconds;
    yield input(run);
  }
}

async function sleepUntilAborted(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

function nothing(): VmRunOptions {
  return {};
}
