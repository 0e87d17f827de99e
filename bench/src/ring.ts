// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { type Collection, load, parseObject } from "@skep/ebpf";
import { KernelEngine, KernelMap, KernelProgram } from "@skep/kernel";
import { type Benchmark, median, type Report, type Row } from "./benchmark.ts";
import { compileC } from "./compile-c.ts";

/** Records a second, rising to more than a producer can make. */
const rates = [125_000, 250_000, 500_000, 1_000_000, 2_000_000, 3_000_000, 4_000_000, 6_000_000, 8_000_000];
const milliseconds = 500;
const rounds = 7;
/** Records a second of the run in which each record wakes the reader. */
const rareRate = 1000;
const rareMilliseconds = 2000;
/** From this share of lost records on, loss has begun: less comes from another process that took the CPU. */
const lossBegins = 0.001;
/** Latencies that are kept, as in C. */
const samples = 1 << 16;

/** What came of a run: everything that the program produced was either read or lost. */
interface Run {
  readonly produced: number;
  readonly lost: number;
  readonly perSecond: number;
  /** Nanoseconds from record to reader. */
  readonly p50: number;
  readonly p99: number;
}

/** A reader of the ring; `stop` ends it after the last record. */
type Consumer = (collection: Collection) => Promise<{ stop: () => Promise<Read> }>;

interface Read {
  readonly delivered: number;
  readonly checksum: number;
  readonly p50: number;
  readonly p99: number;
}

/** A producer at rising rates in a process of its own, read here and by libbpf's `ring_buffer__poll` in turn. */
export const ring: Benchmark = {
  name: "ring",
  description: "records of a producer at rising rates: delivered, lost, and how long a wake-up takes",
  reference: "C (libbpf)",
  async run(report) {
    using program = compileC("ring.c", ["-lbpf"]);
    const theirs = libbpfConsumer(program.path);
    const rows: Row[] = [];
    const lossAt = { ours: Number.POSITIVE_INFINITY, theirs: Number.POSITIVE_INFINITY };
    for (const rate of rates) {
      const [mine, reference] = await contest(program.path, rate, milliseconds, theirs, report);
      const share = (runs: readonly Run[]): number => median(runs.map(({ lost, produced }) => lost / produced));
      const [ourShare, theirShare] = [share(mine), share(reference)];
      const reached = median(mine.map((run) => run.perSecond));
      if (ourShare > lossBegins) lossAt.ours = Math.min(lossAt.ours, reached);
      if (theirShare > lossBegins)
        lossAt.theirs = Math.min(lossAt.theirs, median(reference.map((run) => run.perSecond)));
      const name = `${Math.round(reached).toLocaleString("en")} records/s: lost`;
      // One in a million more on both sides, so that nothing lost has a ratio too.
      const ratio = (ourShare + 1e-6) / (theirShare + 1e-6);
      rows.push({ case: name, value: ourShare * 100, unit: "%", reference: theirShare * 100, ratio });
    }
    const last = rates.at(-1) ?? 0;
    const [begins, theirsBegins] = [Math.min(lossAt.ours, last), Math.min(lossAt.theirs, last)];
    rows.push({
      case: "loss begins at",
      value: begins,
      unit: "records/s",
      reference: theirsBegins,
      ratio: theirsBegins / begins,
    });
    const [mine, reference] = await contest(program.path, rareRate, rareMilliseconds, theirs, report);
    for (const which of ["p50", "p99"] as const) {
      const value = median(mine.map((run) => run[which])) / 1000;
      const other = median(reference.map((run) => run[which])) / 1000;
      rows.push({ case: `wake-up, ${which}`, value, unit: "µs", reference: other, ratio: value / other });
    }
    return rows;
  },
};

/** Both readers in turn, after a round of warming up. */
async function contest(
  program: string,
  rate: number,
  duration: number,
  theirs: Consumer,
  report: Report,
): Promise<[ours: Run[], theirs: Run[]]> {
  const [mine, reference]: [Run[], Run[]] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    const runs = [await run(program, rate, duration, ours), await run(program, rate, duration, theirs)] as const;
    if (round === 0) continue;
    mine.push(runs[0]);
    reference.push(runs[1]);
    report(`${rate.toLocaleString("en")} records/s ${round}/${rounds}`);
  }
  return [mine, reference];
}

/** One run with a ring of its own. */
async function run(program: string, rate: number, duration: number, consumer: Consumer): Promise<Run> {
  const object = parseObject(readFileSync(new URL("../bpf/ring.bpf.o", import.meta.url)));
  using collection = load(object, { engine: new KernelEngine() });
  const { stop } = await consumer(collection);
  const { program: held } = collection.program("produce");
  if (!(held instanceof KernelProgram)) throw new Error("the program is not the kernel's");
  const producer = spawn(program, ["produce", String(rate), String(duration)], {
    stdio: ["ignore", "pipe", "inherit", held.fd.number],
  });
  const [line] = await Promise.all([firstLine(producer), once(producer, "exit")]);
  const { delivered, checksum, p50, p99 } = await stop();
  const produced = Number(collection.variable<bigint>("produced").get());
  const lost = Number(collection.variable<bigint>("lost").get());
  if (delivered + lost !== produced) throw new Error(`${produced} produced, ${delivered} read and ${lost} lost`);
  // The first word of a record is its number: with nothing lost their sum is known.
  const expected = lost === 0 ? Number(((BigInt(produced) * BigInt(produced + 1)) / 2n) & 0xffff_ffffn) : checksum;
  if (checksum !== expected) throw new Error(`the checksum is ${checksum}, wanted ${expected}`);
  return { produced, lost, perSecond: Number(line), p50, p99 };
}

/** Skep, in this process. */
const ours: Consumer = async (collection) => {
  const stopping = new AbortController();
  using resources = new DisposableStack();
  const reader = resources.use(collection.map("ring").records({ signal: stopping.signal }));
  const held = resources.move();
  let delivered = 0;
  let checksum = 0;
  const latencies = new Float64Array(samples);
  const consume = (bytes: Uint8Array, offsets: Uint32Array, count: number): void => {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    for (let i = 0; i < count; i++) {
      const at = offsets[i]! >> 2;
      if (delivered < samples) {
        latencies[delivered] = monotonic() - (words[at]! + words[at + 1]! * 2 ** 32);
      }
      delivered++;
      checksum = (checksum + words[at + 4]!) >>> 0;
    }
  };
  const reading = (async () => {
    for await (const { bytes, offsets, count } of reader) consume(bytes, offsets, count);
  })();
  return {
    stop: async () => {
      using _ = held;
      stopping.abort();
      await reading;
      for (let batch = reader.poll(); batch !== undefined; batch = reader.poll()) {
        consume(batch.bytes, batch.offsets, batch.count);
      }
      const sorted = latencies.subarray(0, Math.min(delivered, samples)).sort();
      const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
      return { delivered, checksum, p50: at(0.5), p99: at(0.99) };
    },
  };
};

/** CLOCK_MONOTONIC in nanoseconds. */
function monotonic(): number {
  return Number(process.hrtime.bigint());
}

/** libbpf in a process of its own. */
function libbpfConsumer(program: string): Consumer {
  return async (collection) => {
    const map = collection.map("ring");
    if (!(map instanceof KernelMap)) throw new Error("the ring is not the kernel's");
    const child = spawn(program, ["consume"], { stdio: ["ignore", "pipe", "inherit", map.fd] });
    if (child.stdout === null) throw new Error("the reader has no standard output");
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const { value: ready } = await lines.next();
    if (ready !== "ready") throw new Error(`the reader said "${ready}"`);
    return {
      stop: async () => {
        const ended = once(child, "exit");
        child.kill("SIGTERM");
        const { value } = await lines.next();
        await ended;
        const [delivered = 0, checksum = 0, p50 = 0, p99 = 0] = String(value).split(" ").map(Number);
        return { delivered, checksum, p50, p99 };
      },
    };
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("the producer has no standard output");
  for await (const line of createInterface(child.stdout)) return line;
  throw new Error("the producer said nothing");
}
