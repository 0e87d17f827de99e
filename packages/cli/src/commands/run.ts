// SPDX-License-Identifier: Apache-2.0

import { basename, resolve } from "node:path";
import { collectorSchema } from "@skep/collector";
import { type Engine, identifyObject, type RecordedObject, RecordingEngine, SkepError } from "@skep/ebpf";
import { KernelEngine, whyNotObserve } from "@skep/kernel";
import { kernelRelease, possibleCpus } from "@skep/linux";
import { RowHub } from "@skep/rows";
import { createLogger, createMetrics, type Manifest, nodeName, reloadOn, WorkloadSet } from "@skep/workload";
import type { Logger } from "pino";
import { onInterrupt, untilAborted } from "../interrupt.ts";
import { kinds } from "../kinds.ts";
import { ManifestSource } from "../manifest-source.ts";
import { openSink } from "../open-sink.ts";
import type { OutputFormat } from "../output/format.ts";
import { PrinterSink } from "../output/printer-sink.ts";
import { readObjectBytes } from "../read-object-file.ts";
import { RecordingFile } from "../recording-file.ts";
import { reportLosses } from "../report-losses.ts";

/** How long output that nobody reads may hold up the end, in milliseconds. */
const CLOSE_TIMEOUT = 3000;

/** Options of `skep run`. */
export interface RunOptions {
  readonly file: string[];
  readonly record?: string;
  readonly output: OutputFormat;
  readonly log: "debug" | "info" | "warn" | "error";
}

/**
 * `skep run -f FILE`: runs workloads in this process and prints their rows, until SIGINT or SIGTERM, until nobody
 * reads the rows any more, or until the recording breaks off.
 */
export async function run(options: RunOptions): Promise<void> {
  using interrupt = onInterrupt();
  const { signal } = interrupt;
  const logger = createLogger({ level: options.log });
  const source = new ManifestSource(options.file, signal);
  const recording = options.record === undefined ? undefined : new RecordingFile(options.record);
  const hub = new RowHub({
    sinks: [new PrinterSink(options.output)],
    closeTimeout: CLOSE_TIMEOUT,
    onError: (error, sink) => logger.warn({ err: error }, `sink ${sink.name} failed`),
  });
  try {
    // Read before anything is loaded: a mistake in a manifest wants no privileges to be found.
    const manifests = await source.load();
    await runWorkloads({ source, manifests, recording, hub, logger, signal });
  } catch (error) {
    if (error !== signal.reason) throw error;
  } finally {
    reportLosses(hub.ledgers());
  }
  recording?.throwIfFailed();
}

interface RunParts {
  readonly source: ManifestSource;
  readonly manifests: readonly Manifest[];
  readonly recording: RecordingFile | undefined;
  readonly hub: RowHub;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

async function runWorkloads({ source, manifests, recording, hub, logger, signal }: RunParts): Promise<void> {
  await using stack = new AsyncDisposableStack();
  if (recording !== undefined) stack.use(recording);
  const engine = stack.use(openRunEngine(recording, manifests));
  stack.use(hub);
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
  const ending = new AbortController();
  stack.defer(() => ending.abort());
  reloadOn({ files: source.files, signal: ending.signal, logger }, async () => {
    await workloads.reconcile(await source.load());
  });
  const reports = await workloads.reconcile(manifests);
  const failed = reports.filter(({ status }) => status.phase === "Failed");
  if (failed.length === reports.length) {
    const reasons = failed.map(
      ({ name, status }) => `${name}: ${status.conditions.map(({ message }) => message).join("; ")}`,
    );
    throw new SkepError("ERR_NOTHING_RUNS", reasons.join("\n"));
  }
  recording?.begin();
  const readerGone = new AbortController();
  process.stdout.once("error", () => readerGone.abort());
  await untilAborted(signal, readerGone.signal, ...(recording === undefined ? [] : [recording.failed]));
}

function openRunEngine(recording: RecordingFile | undefined, manifests: readonly Manifest[]): Engine {
  const obstacle = whyNotObserve();
  if (obstacle !== undefined) {
    throw new SkepError("ERR_NOT_ALLOWED", [obstacle.why, ...obstacle.remedy.map((step) => `  - ${step}`)].join("\n"));
  }
  if (recording === undefined) return new KernelEngine();
  const objects = manifests.map(objectOf);
  return new RecordingEngine(new KernelEngine(), {
    node: nodeName(),
    kernel: kernelRelease(),
    cpus: possibleCpus().length,
    objects,
    write: (chunk) => recording.write(chunk),
  });
}

/** What tells a player whether the object at hand is the one that was recorded. */
function objectOf({ spec, source }: Manifest): RecordedObject {
  const { object } = collectorSchema.parse(spec);
  return identifyObject(basename(object), readObjectBytes(resolve(source.base, object)));
}
