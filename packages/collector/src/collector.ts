// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type CollectionSpec, parseObject } from "@skep/ebpf";
import type { RowSchema } from "@skep/rows";
import {
  Conditions,
  type RunningWorkload,
  type Workload,
  type WorkloadContext,
  type WorkloadStatus,
} from "@skep/workload";
import { CollectorError } from "./collector-error.ts";
import { type CollectorSpec, collectorSchema } from "./collector-spec.ts";
import { Observation } from "./observation.ts";
import { layoutStream } from "./stream-layout.ts";

/**
 * `kind: Collector`: attaches the programs of an eBPF object and turns the records that they write into rows.
 * Engines: kernel, recording.
 */
export const collector: Workload<CollectorSpec> = {
  kind: "Collector",
  schema: collectorSchema,
  streams(spec: CollectorSpec, base: string): RowSchema[] {
    const object = readObject(spec, base);
    return spec.streams.map((stream) => layoutStream(object, stream).schema);
  },
  async start(spec: CollectorSpec, context: WorkloadContext): Promise<RunningWorkload<CollectorSpec>> {
    const running = new RunningCollector(context);
    await running.apply(spec);
    return running;
  },
};

/** Reads and parses the object that a spec names. */
export function readObject(spec: CollectorSpec, base: string): CollectionSpec {
  const path = resolve(base, spec.object);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new CollectorError(`object ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  try {
    return parseObject(bytes);
  } catch (cause) {
    throw new CollectorError(`object ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

class RunningCollector implements RunningWorkload<CollectorSpec> {
  readonly #context: WorkloadContext;
  readonly #conditions = new Conditions();
  #observation: Observation | undefined;
  #generation = 0;

  constructor(context: WorkloadContext) {
    this.#context = context;
  }

  /**
   * Loads and verifies the next spec beside the one in force, then changes over: the old programs are detached and
   * what they wrote is delivered before the new ones attach. State that programs kept in maps begins anew.
   */
  async apply(next: CollectorSpec): Promise<void> {
    const context = this.#context;
    const prepared = Observation.prepare(next, readObject(next, context.base), context);
    const before = this.#observation;
    before?.detach();
    try {
      prepared.attach();
    } catch (cause) {
      prepared.discard();
      before?.attach();
      throw cause;
    }
    await before?.finish().catch((cause: unknown) => {
      context.logger.error({ err: cause }, "closing what was in force before failed");
    });
    prepared.begin((cause) => this.#readingFailed(cause));
    this.#observation = prepared;
    this.#generation += 1;
    this.#conditions.set("Ready", "True", "Running", prepared.describe());
  }

  #readingFailed(cause: unknown): void {
    const message = cause instanceof Error ? cause.message : String(cause);
    this.#conditions.set("Ready", "False", "ReadingFailed", message);
    this.#context.logger.error({ err: cause }, "reading failed");
  }

  status(): WorkloadStatus {
    return this.#conditions.status(this.#generation);
  }

  async close(): Promise<void> {
    this.#observation?.detach();
    await this.#observation?.finish();
    this.#observation = undefined;
    this.#conditions.set("Ready", "False", "Stopped", "the collector was closed");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
