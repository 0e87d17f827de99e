// SPDX-License-Identifier: Apache-2.0

import { type AttachTarget, type Collection, type CollectionSpec, load, MapType } from "@skep/ebpf";
import type { Sink, StreamWriter } from "@skep/rows";
import type { WorkloadContext } from "@skep/workload";
import { CollectorError } from "./collector-error.ts";
import type { CollectorSpec } from "./collector-spec.ts";
import { RecordPump } from "./record-pump.ts";
import { layoutStream, type StreamLayout } from "./stream-layout.ts";

/**
 * One spec in force: its programs in the engine, its streams open. Goes through prepare, attach, begin, detach and
 * finish; between detach and finish nothing new is observed.
 */
export class Observation {
  readonly #spec: CollectorSpec;
  readonly #context: WorkloadContext;
  readonly #collection: Collection;
  readonly #layouts: readonly StreamLayout[];
  readonly #pumps: readonly RecordPump[];
  #writers: StreamWriter[] = [];
  #sinks: Sink[] = [];

  private constructor(
    spec: CollectorSpec,
    context: WorkloadContext,
    collection: Collection,
    layouts: readonly StreamLayout[],
  ) {
    this.#spec = spec;
    this.#context = context;
    this.#collection = collection;
    this.#layouts = layouts;
    const { engine, node, name } = context;
    // Readers first: a perf buffer without one loses what is written to it.
    this.#pumps = layouts.map((layout) => {
      const map = collection.map(layout.map);
      const ledger = layout.ledger === undefined ? undefined : collection.map(layout.ledger);
      return new RecordPump({ layout, map, ledger, engine, node, workload: name });
    });
  }

  /** Loads everything that a spec asks for and opens its buffers; attaches nothing. */
  static prepare(spec: CollectorSpec, object: CollectionSpec, context: WorkloadContext): Observation {
    const names = spec.streams.map((stream) => stream.name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw new CollectorError(`stream "${twice}" is listed twice`);
    const layouts = spec.streams.map((stream) => layoutStream(object, stream));
    for (const stream of spec.streams) {
      const map = object.maps.get(stream.map);
      if (map?.type === MapType.RINGBUF && stream.bufferBytes !== undefined) map.maxEntries = stream.bufferBytes;
    }
    const collection = load(object, {
      engine: context.engine,
      ...(spec.variables === undefined ? {} : { variables: spec.variables }),
      ...(spec.programs === undefined ? {} : { programs: spec.programs.map((program) => program.name) }),
    });
    try {
      return new Observation(spec, context, collection, layouts);
    } catch (cause) {
      collection.close();
      throw cause;
    }
  }

  /** Attaches every program. On failure those already attached are detached again. */
  attach(): void {
    try {
      if (this.#spec.programs === undefined) this.#collection.attachAll();
      else
        for (const { name, attach } of this.#spec.programs)
          this.#collection.program(name).attach(attach as AttachTarget | undefined);
    } catch (cause) {
      this.detach();
      throw cause;
    }
  }

  /** Opens the streams and starts reading. */
  begin(failed: (cause: unknown) => void): void {
    const { name, rows, openSink, base } = this.#context;
    const sinks = this.#spec.sinks?.map((sink) => openSink(sink, base));
    if (sinks !== undefined) this.#sinks = sinks;
    for (const pump of this.#pumps) {
      const writer = rows.open(pump.schema, { workload: name, ...(sinks === undefined ? {} : { sinks }) });
      this.#writers.push(writer);
      pump.start(writer, failed);
    }
  }

  /** Detaches every program; what they wrote stays readable. */
  detach(): void {
    for (const link of this.#collection.links) link.close();
  }

  /** Delivers what is left, then closes streams, sinks, programs and maps. */
  async finish(): Promise<void> {
    const ending = [
      ...this.#pumps.map((pump) => () => pump.finish()),
      ...this.#writers.map((writer) => () => writer.close()),
      ...this.#sinks.map((sink) => () => sink.close()),
    ];
    const failures: unknown[] = [];
    for (const end of ending) await end().catch((cause: unknown) => failures.push(cause));
    this.discard();
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, `collector "${this.#context.name}": closing failed`);
  }

  /** Gives up what {@link prepare} loaded and opened. */
  discard(): void {
    for (const pump of this.#pumps) pump.close();
    this.#collection.close();
  }

  /** One line for people: what is attached, what streams. */
  describe(): string {
    const programs = this.#collection.links.length;
    const streams = this.#layouts.map((layout) => layout.schema.name).join(", ");
    return `${programs} ${programs === 1 ? "program" : "programs"} attached, streams ${streams}`;
  }
}
