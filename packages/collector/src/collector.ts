// SPDX-License-Identifier: Apache-2.0

import { resolve } from "node:path";
import { parseObject } from "@skep/ebpf";
import type { RowSchema } from "@skep/rows";
import {
  Conditions,
  MAX_OBJECT_BYTES,
  type RunningWorkload,
  readBoundedFile,
  type Workload,
  type WorkloadContext,
  type WorkloadStatus,
} from "@skep/workload";
import { CollectorError } from "./collector-error.ts";
import { type CollectorSpec, collectorSchema } from "./collector-spec.ts";
import { type Observation, type ReadObject, retire } from "./observation.ts";
import { prepare } from "./prepare.ts";
import { detachAll } from "./programs.ts";
import { layoutStream } from "./stream-layout.ts";
import { takeOver } from "./take-over.ts";

/**
 * `kind: Collector`: attaches the programs of an eBPF object and turns the records that they write into rows.
 * Engines: kernel, recording.
 */
export const collector: Workload<CollectorSpec> = {
  kind: "Collector",
  schema: collectorSchema,
  streams(spec: CollectorSpec, base: string): RowSchema[] {
    const { spec: object } = readObject(spec, base);
    return spec.streams.map((stream) => layoutStream(object, stream).schema);
  },
  async start(spec: CollectorSpec, context: WorkloadContext): Promise<RunningWorkload<CollectorSpec>> {
    const running = new RunningCollector(context);
    await running.apply(spec);
    return running;
  },
};

function readObject(spec: CollectorSpec, base: string): ReadObject {
  const path = resolve(base, spec.object);
  try {
    const bytes = readBoundedFile(path, MAX_OBJECT_BYTES);
    return { bytes, spec: parseObject(bytes) };
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new CollectorError(`object ${path}: ${message}`, { cause });
  }
}

class RunningCollector implements RunningWorkload<CollectorSpec> {
  readonly #context: WorkloadContext;
  readonly #conditions = new Conditions();
  /** Observations that were replaced and are being closed. */
  readonly #retiring = new Set<Promise<void>>();
  #inForce: Observation | undefined;
  #generation = 0;

  constructor(context: WorkloadContext) {
    this.#context = context;
  }

  async apply(next: CollectorSpec): Promise<void> {
    const context = this.#context;
    const before = this.#inForce;
    const object = readObject(next, context.base);
    const prepared = await prepare({
      spec: next,
      object,
      context,
      before,
      failed: (cause) => this.#readingFailed(cause),
    });
    try {
      this.#inForce = takeOver(before, prepared);
    } catch (cause) {
      await retire({ ...prepared, inherited: new Map() }, before);
      throw cause;
    }
    this.#generation += 1;
    this.#conditions.set("Ready", "True", "Running", describe(this.#inForce));
    if (before !== undefined) this.#retire(before, this.#inForce);
  }

  /** Closes in the background what was replaced: a sink that is down would hold up the next spec. */
  #retire(observation: Observation, kept: Observation): void {
    const retiring = retire(observation, kept)
      .catch((err: unknown) => this.#context.logger.error({ err }, "closing what was in force before failed"))
      .finally(() => this.#retiring.delete(retiring));
    this.#retiring.add(retiring);
  }

  /** Without a reader the programs would only fill their buffers. */
  #readingFailed(cause: unknown): void {
    if (this.#inForce !== undefined) detachAll(this.#inForce.collection);
    const message = cause instanceof Error ? cause.message : String(cause);
    this.#conditions.set("Ready", "False", "ReadingFailed", message);
    this.#context.logger.error({ err: cause }, "reading failed");
    this.#context.changed();
  }

  status(): WorkloadStatus {
    return this.#conditions.status(this.#generation);
  }

  async close(): Promise<void> {
    const ending = this.#inForce;
    this.#inForce = undefined;
    this.#conditions.set("Ready", "False", "Stopped", "the collector was closed");
    try {
      if (ending !== undefined) {
        detachAll(ending.collection);
        for (const { pump } of ending.streams) pump.drain();
        await retire(ending, undefined);
      }
    } finally {
      await Promise.all(this.#retiring);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** One line for people: what is attached, what streams. */
function describe({ collection, streams }: Observation): string {
  const count = collection.links.length;
  const names = streams.map(({ route }) => route.layout.schema.name).join(", ");
  return `${count} ${count === 1 ? "program" : "programs"} attached, streams ${names}`;
}
