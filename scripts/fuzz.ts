// SPDX-License-Identifier: Apache-2.0

// npm run fuzz -- elf|btf|vm [--seconds 60] [--seed N]: throws mutated objects at the parser, the disassembler and the
// linker, or mutated BTF at all that reads types, or runs random programs in the kernel and in the engine over WebAssembly
// and compares, until time is up. A failure prints its seed; `--seed N --seconds 0` runs that one again (BTF seeds hold
// types of the running kernel: the same number is another input on another kernel).
//
// npm run fuzz -- vm-mutants [--seconds N] [--seed N]: breaks the engine's translation of one kind of instruction after the
// other and tells how many of these mutants the random programs catch. At least 99 % is a success.
//
// The work is done by a process of its own: it is killed when it does not return from an input in time, and dies when
// it asks for more memory than it has. The next one goes on behind that input.
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { type Batch, type FuzzTarget, isFuzzTarget } from "./fuzz/target.ts";

/** Far above the slowest input, also on a machine that does other things. */
const HANG_MILLISECONDS = 30_000;
const HEAP_MEGABYTES = 256;
/** A kind of instruction must be executed once in so many programs, of so many at least. */
const PROGRAMS_A_KIND = 100;
const PROGRAMS_LEAST = 2000;
const MUTANTS_CAUGHT = 0.99;
/** How much of what a worker says when it dies is shown. */
const COMPLAINT_LENGTH = 2000;

/** What a run saw. */
interface Tally {
  readonly outcomes: Map<string, number>;
  readonly failures: string[];
  count: number;
  slowest: number;
  slowestSeed: number;
  readonly histogram: Map<string, number>;
}

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: "string" },
      seed: { type: "string", default: String(Date.now() >>> 0) },
    },
  });
  const [target, ...rest] = positionals;
  const seconds = Number(values.seconds ?? (target === "vm-mutants" ? Number.POSITIVE_INFINITY : 60));
  const seed = Number(values.seed);
  const mutants = target === "vm-mutants";
  if (!(mutants || isFuzzTarget(target)) || rest.length > 0 || !(seconds >= 0) || !Number.isSafeInteger(seed)) {
    console.error("usage: npm run fuzz -- elf|btf|vm|vm-mutants [--seconds N] [--seed N]");
    return 2;
  }
  if (mutants) return await fuzzMutants(seed, performance.now() + seconds * 1000);
  console.log(`fuzzing ${target}: ${seconds} s, from seed ${seed}`);
  const tally: Tally = {
    outcomes: new Map(),
    failures: [],
    count: 0,
    slowest: 0,
    slowestSeed: seed,
    histogram: new Map(),
  };
  const end = performance.now() + seconds * 1000;
  const folder = mkdtempSync(join(tmpdir(), "skep-fuzz-"));
  try {
    let next: number | undefined = seed;
    do {
      next = await runWorker(target, next, Math.max(0, end - performance.now()), join(folder, "seed"), tally);
    } while (next !== undefined && performance.now() < end);
  } finally {
    rmSync(folder, { recursive: true });
  }
  summarize(tally);
  return tally.failures.length === 0 ? 0 : 1;
}

/**
 * Runs one worker to its end, or to the input that it fails at; gives the seed to go on with, or undefined when it could not
 * begin: nor could the next.
 */
async function runWorker(
  target: FuzzTarget,
  seed: number,
  milliseconds: number,
  progress: string,
  tally: Tally,
): Promise<number | undefined> {
  const file = openSync(progress, "w+");
  const bytes = Buffer.alloc(8);
  const begun = (): boolean => readSync(file, bytes, 0, 8, 0) === 8;
  const current = (): number => (begun() ? bytes.readDoubleLE() : seed);
  const flags = [`--max-old-space-size=${HEAP_MEGABYTES}`, "--conditions=skep-source"];
  const script = join(import.meta.dirname, "fuzz/worker.ts");
  const worker = spawn(process.execPath, [...flags, script, target, String(seed), String(milliseconds), progress], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let complaint = "";
  worker.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-COMPLAINT_LENGTH);
  });
  createInterface(worker.stdout).on("line", (line) => add(JSON.parse(line) as Batch, tally));
  let seen = -1;
  let since = performance.now();
  let hung = false;
  const watchdog = setInterval(() => {
    const now = current();
    if (now !== seen) since = performance.now();
    seen = now;
    if (hung || performance.now() - since <= HANG_MILLISECONDS) return;
    hung = true;
    worker.kill("SIGKILL");
  }, 200);
  const code = await new Promise<number | null>((resolve) => worker.on("close", resolve));
  clearInterval(watchdog);
  const started = begun();
  const last = current();
  closeSync(file);
  if (code === 0) return last;
  if (!started) {
    fail(tally, `fuzzing ${target} cannot begin: ${complaint}`);
    return undefined;
  }
  if (hung) fail(tally, `seed ${last}: has not come back after ${HANG_MILLISECONDS} ms`);
  else if (complaint.includes("heap limit")) fail(tally, `seed ${last}: took more than ${HEAP_MEGABYTES} MiB`);
  else fail(tally, `seed ${last}: the process died: ${complaint}`);
  return last + 1;
}

function add(batch: Batch, tally: Tally): void {
  for (const [outcome, times] of Object.entries(batch.outcomes)) {
    tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + times);
  }
  for (const failure of batch.failures) fail(tally, failure);
  for (const [name, times] of Object.entries(batch.histogram ?? {})) {
    tally.histogram.set(name, (tally.histogram.get(name) ?? 0) + times);
  }
  tally.count += batch.count;
  if (batch.slowest > tally.slowest) {
    tally.slowest = batch.slowest;
    tally.slowestSeed = batch.slowestSeed;
  }
  console.log(`${String(tally.count).padStart(9)} inputs  ${batch.rate}/s  ${tally.failures.length} failures`);
}

function fail(tally: Tally, message: string): void {
  tally.failures.push(message);
  console.error(message);
}

function summarize(tally: Tally): void {
  const { outcomes, failures, count, slowest, slowestSeed } = tally;
  summarizeHistogram(tally);
  console.log(`${count} inputs, slowest ${slowest.toFixed(1)} ms (seed ${slowestSeed})`);
  for (const [outcome, times] of [...outcomes].sort((a, b) => b[1] - a[1])) {
    console.log(`  ${outcome.padEnd(20)} ${times}  ${((100 * times) / count).toFixed(1)} %`);
  }
  console.log(failures.length === 0 ? "no failures" : `${failures.length} failures`);
}

/** What was executed, rarest first. */
function summarizeHistogram(tally: Tally): void {
  const { histogram, count } = tally;
  if (histogram.size === 0) return;
  const sorted = [...histogram].sort((a, b) => a[1] - b[1]);
  for (const [name, times] of sorted) console.log(`  ${name.padEnd(20)} ${times}`);
  if (count < PROGRAMS_LEAST) return;
  for (const [name, times] of sorted) {
    if (times * PROGRAMS_A_KIND < count) fail(tally, `${name} was executed ${times} times in ${count} programs`);
  }
}

async function fuzzMutants(seed: number, end: number): Promise<number> {
  console.log(`fuzzing with mutants, from seed ${seed}`);
  const { runMutants } = await import("./fuzz/vm/run-mutants.ts");
  const report = (done: number, all: number): void => console.log(`${done} of ${all} mutants`);
  const { caught, survivors, untried, most, unsound } = runMutants(seed, end, report);
  if (unsound > 0) console.error(`${unsound} programs left out: engine and kernel do not agree about them`);
  if (untried > 0) console.error(`${untried} mutants not tried: time is up`);
  for (const { kind, fault } of survivors) console.error(`not caught: ${kind.name}, ${fault}`);
  const all = caught + survivors.length;
  const share = all === 0 ? 0 : caught / all;
  console.log(`${caught} of ${all} mutants caught, ${(100 * share).toFixed(1)} %, each within ${most} programs`);
  return share >= MUTANTS_CAUGHT && untried === 0 ? 0 : 1;
}

process.exitCode = await main();
