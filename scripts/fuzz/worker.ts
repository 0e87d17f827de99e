// SPDX-License-Identifier: Apache-2.0

// worker.ts TARGET SEED MILLISECONDS FILE: fuzzes for so long, and writes the seed that it is at into the file, as a
// double.
import { openSync, writeSync } from "node:fs";
import { getHeapStatistics } from "node:v8";
import type { FuzzResult } from "../../packages/ebpf/src/fuzz/fuzz-result.ts";
import { type Batch, type Fuzzer, fuzzer, isFuzzTarget } from "./target.ts";

const REPORT_MILLISECONDS = 1000;
/**
 * What one input may leave behind, garbage too: a multiple of its size, and what compiling code and collecting it
 * late makes of it.
 */
const MEMORY_FACTOR = 64;
const MEMORY_SLACK = 96 << 20;

const [target, seed, milliseconds, file] = process.argv.slice(2);
if (!isFuzzTarget(target) || file === undefined) throw new Error("usage: worker.ts TARGET SEED MILLISECONDS FILE");
const work = await fuzzer(target);
const progress = openSync(file, "r+");
const place = Buffer.alloc(8);
const start = performance.now();
let number = Number(seed);
let batch = newBatch();
/** What was counted until the last report. */
let counted: Readonly<Record<string, number>> = {};

do {
  mark();
  one(work, number);
  number++;
  // A failure at once: the next input may be the last.
  if (batch.failures.length > 0 || performance.now() - batch.since >= REPORT_MILLISECONDS) report();
} while (performance.now() - start < Number(milliseconds));
mark();
report();

function mark(): void {
  place.writeDoubleLE(number);
  writeSync(progress, place, 0, place.length, 0);
}

function newBatch() {
  const since = performance.now();
  return { since, outcomes: new Map<string, number>(), failures: [] as string[], count: 0, slowest: 0, slowestSeed: 0 };
}

function report(): void {
  const { since, outcomes, ...rest } = batch;
  const rate = Math.round((batch.count * 1000) / Math.max(1, performance.now() - since));
  const histogram = work.histogram?.();
  const line: Batch = {
    ...{ ...rest, rate, outcomes: Object.fromEntries(outcomes) },
    ...(histogram !== undefined && { histogram: increase(histogram) }),
  };
  writeSync(1, `${JSON.stringify(line)}\n`);
  batch = newBatch();
}

function increase(histogram: Readonly<Record<string, number>>): Record<string, number> {
  const before = counted;
  counted = histogram;
  return Object.fromEntries(Object.entries(histogram).map(([name, count]) => [name, count - (before[name] ?? 0)]));
}

function one(run: Fuzzer, at: number): void {
  batch.count++;
  try {
    const before = memory();
    const { result, milliseconds: took } = timed(run, at);
    const grown = memory() - before;
    keep(result.outcome, took, at);
    if (grown > result.size * MEMORY_FACTOR + MEMORY_SLACK) {
      batch.failures.push(`seed ${at}: took ${Math.round(grown / 2 ** 20)} MiB for ${result.size} bytes`);
    }
    // Compiling code takes time too, once: it is slow when it is slow again.
    if (took > run.slowMilliseconds && timed(run, at).milliseconds > run.slowMilliseconds) {
      batch.failures.push(`seed ${at}: took ${took.toFixed(0)} ms`);
    }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.stack : String(error);
    batch.failures.push(`seed ${at}: ${cause}`);
  }
}

/** By the time of this thread: the machine may be doing something else meanwhile. */
function timed(run: Fuzzer, at: number): { result: FuzzResult; milliseconds: number } {
  const before = process.threadCpuUsage();
  const result = run.run(at);
  const { user, system } = process.threadCpuUsage(before);
  return { result, milliseconds: (user + system) / 1000 };
}

function keep(outcome: string, took: number, at: number): void {
  batch.outcomes.set(outcome, (batch.outcomes.get(outcome) ?? 0) + 1);
  if (took <= batch.slowest) return;
  batch.slowest = took;
  batch.slowestSeed = at;
}

/** Bytes of this process's heap and of its array buffers. */
function memory(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}
