// SPDX-License-Identifier: Apache-2.0

// npm run fuzz -- elf [--seconds 60] [--seed N]: throws mutated objects at the ELF and BTF parser until time is up.
// A failure prints its seed; `--seed N --seconds 0` runs that one again.
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { fuzzObject } from "../packages/ebpf/src/fuzz/fuzz-object.ts";
import { type FuzzSeed, fuzzSeed } from "../packages/ebpf/src/fuzz/mutate-object.ts";

const root = join(import.meta.dirname, "..");
const SLOW_MILLISECONDS = 250;

/** What a run saw. */
interface Tally {
  readonly outcomes: Map<string, number>;
  readonly failures: string[];
  count: number;
  slowest: number;
  slowestSeed: number;
}

function main(): number {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: "string", default: "60" },
      seed: { type: "string", default: String(Date.now() >>> 0) },
    },
  });
  const seconds = Number(values.seconds);
  const seed = Number(values.seed);
  if (positionals[0] !== "elf" || positionals.length > 1 || !(seconds >= 0) || !Number.isSafeInteger(seed)) {
    console.error("usage: npm run fuzz -- elf [--seconds N] [--seed N]");
    return 2;
  }
  const seeds = globSync("packages/ebpf/test-objects/*.bpf.o", { cwd: root })
    .sort()
    .map((path): FuzzSeed => fuzzSeed(basename(path), new Uint8Array(readFileSync(join(root, path)))));
  console.log(`fuzzing elf: ${seeds.length} objects, ${seconds} s, from seed ${seed}`);
  const tally = run(seeds, seed, seconds);
  summarize(tally);
  return tally.failures.length === 0 ? 0 : 1;
}

function run(seeds: readonly FuzzSeed[], seed: number, seconds: number): Tally {
  const tally: Tally = { outcomes: new Map(), failures: [], count: 0, slowest: 0, slowestSeed: seed };
  const start = performance.now();
  let nextReport = start + 1000;
  do {
    one(seeds, seed + tally.count, tally);
    tally.count++;
    if (performance.now() >= nextReport) {
      const elapsed = (performance.now() - start) / 1000;
      const rate = Math.round(tally.count / elapsed);
      console.log(
        `${elapsed.toFixed(0).padStart(5)} s  ${tally.count} objects  ${rate}/s  ${tally.failures.length} failures`,
      );
      nextReport += 1000;
    }
  } while (performance.now() - start < seconds * 1000);
  return tally;
}

function one(seeds: readonly FuzzSeed[], number: number, tally: Tally): void {
  try {
    const { outcome, milliseconds } = fuzzObject(seeds, number);
    tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1);
    if (milliseconds > tally.slowest) {
      tally.slowest = milliseconds;
      tally.slowestSeed = number;
    }
    // A pause of the machine is not the parser's: it is slow when it is slow again.
    if (milliseconds > SLOW_MILLISECONDS && fuzzObject(seeds, number).milliseconds > SLOW_MILLISECONDS) {
      fail(tally, `seed ${number}: took ${milliseconds.toFixed(0)} ms`);
    }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.stack : String(error);
    fail(tally, `seed ${number}: ${cause}`);
  }
}

function fail(tally: Tally, message: string): void {
  tally.failures.push(message);
  console.error(message);
}

function summarize({ outcomes, failures, count, slowest, slowestSeed }: Tally): void {
  console.log(`${count} objects, slowest ${slowest.toFixed(1)} ms (seed ${slowestSeed})`);
  for (const [outcome, times] of [...outcomes].sort((a, b) => b[1] - a[1])) {
    console.log(`  ${outcome.padEnd(20)} ${times}  ${((100 * times) / count).toFixed(1)} %`);
  }
  console.log(failures.length === 0 ? "no failures" : `${failures.length} failures`);
}

process.exitCode = main();
