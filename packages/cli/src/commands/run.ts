// SPDX-License-Identifier: Apache-2.0

import { openSync, readFileSync, writeSync } from "node:fs";
import { basename, resolve } from "node:path";
import { collectorSchema } from "@skep/collector";
import { type Engine, identifyObject, type RecordedObject, RecordingEngine, SkepError } from "@skep/ebpf";
import { KernelEngine, whyNotObserve } from "@skep/kernel";
import { kernelRelease, possibleCpus } from "@skep/linux";
import { RowHub } from "@skep/rows";
import {
  createLogger,
  createMetrics,
  loadManifests,
  type Manifest,
  nodeName,
  reloadOn,
  WorkloadSet,
} from "@skep/workload";
import { onInterrupt } from "../interrupt.ts";
import { kinds } from "../kinds.ts";
import { openSink } from "../open-sink.ts";
import type { OutputFormat } from "../output/format.ts";
import { PrinterSink } from "../output/printer-sink.ts";

/** Options of `skep run`. */
export interface RunOptions {
  readonly file: string[];
  readonly record?: string;
  readonly output: OutputFormat;
  readonly log: "debug" | "info" | "warn" | "error";
}

/** `skep run -f FILE`: runs workloads in this process until SIGINT or SIGTERM, and prints their rows. */
export async function run(options: RunOptions): Promise<void> {
  using interrupt = onInterrupt();
  const logger = createLogger({ level: options.log });
  const paths = options.file;
  // Read before anything is loaded: a mistake in a manifest wants no privileges to be found.
  const manifests = await loadManifests(paths, { kinds });
  await using stack = new AsyncDisposableStack();
  const engine = stack.use(openRunEngine(options.record, manifests));
  const hub = stack.use(
    new RowHub({
      sinks: [new PrinterSink(options.output)],
      onError: (error, sink) => logger.warn({ err: error }, `sink ${sink.name} failed`),
    }),
  );
  const workloads = stack.use(
    new WorkloadSet({
      kinds,
      engine,
      node: nodeName(),
      rows: hub,
      openSink: (spec, base) => openSink(spec, base, undefined),
      logger,
      metrics: createMetrics(),
    }),
  );
  reloadOn({ files: paths.filter((path) => path !== "-"), signal: interrupt.signal, logger }, async () => {
    await workloads.reconcile(await loadManifests(paths, { kinds }));
  });
  const failed = (await workloads.reconcile(manifests)).filter(({ status }) => status.phase === "Failed");
  if (failed.length === manifests.length) {
    const reasons = failed.map(
      ({ name, status }) => `${name}: ${status.conditions.map(({ message }) => message).join("; ")}`,
    );
    throw new SkepError("ERR_NOTHING_RUNS", reasons.join("\n"));
  }
  await new Promise<void>((resolve) => {
    if (interrupt.signal.aborted) resolve();
    interrupt.signal.addEventListener("abort", () => resolve(), { once: true });
    // The reader of our output went away, as in `skep run -f x.yaml | head`.
    process.stdout.on("error", () => resolve());
  });
}

function openRunEngine(record: string | undefined, manifests: readonly Manifest[]): Engine {
  const obstacle = whyNotObserve();
  if (obstacle !== undefined) {
    throw new SkepError("ERR_NOT_ALLOWED", [obstacle.why, ...obstacle.remedy.map((step) => `  - ${step}`)].join("\n"));
  }
  const kernel = new KernelEngine();
  if (record === undefined) return kernel;
  const file = openSync(record, "w", 0o600);
  return new RecordingEngine(kernel, {
    node: nodeName(),
    kernel: kernelRelease(),
    cpus: possibleCpus().length,
    objects: manifests.map(objectOf),
    write: (chunk) => {
      writeSync(file, chunk);
    },
  });
}

/** What tells a player whether the object at hand is the one that was recorded. */
function objectOf({ spec, source }: Manifest): RecordedObject {
  const { object } = collectorSchema.parse(spec);
  return identifyObject(basename(object), readFileSync(resolve(source.base, object)));
}
