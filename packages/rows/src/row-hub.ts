// SPDX-License-Identifier: Apache-2.0

import { checkBatch, checkSchema } from "./check-schema.ts";
import type { ColumnBatch } from "./column-batch.ts";
import { CountingLedger } from "./counting-ledger.ts";
import { RowSchemaError, RowsClosedError, RowsError } from "./errors.ts";
import type { LedgerSnapshot, StreamLedger } from "./ledger.ts";
import type { RowSchema } from "./row-schema.ts";
import type { RowWriter, StreamOptions, StreamWriter } from "./row-writer.ts";
import type { Sink } from "./sink.ts";
import { SinkQueue } from "./sink-queue.ts";

/** Where the rows of a hub go, and how long it bears with sinks that are slow or fail. */
export interface RowHubOptions {
  /** Sinks that streams go to unless they name their own. The hub closes them. */
  readonly sinks: readonly Sink[];
  /** Sinks that every stream goes to besides; none when not given. The hub closes them too. */
  readonly always?: readonly Sink[];
  /** Memory that batches on their way to one sink from one stream may take, in bytes; 64 MiB when not given. */
  readonly queueBytes?: number;
  /** How long closing waits for sinks before it drops what they have not taken, in milliseconds; 10 s when not given. */
  readonly closeTimeout?: number;
  /** Told of every failed attempt of a sink, for logs. */
  readonly onError?: (error: unknown, sink: Sink, schema: RowSchema) => void;
}

/** Where the rows of all workloads of a process come together and go on to the sinks. */
export class RowHub implements RowWriter, AsyncDisposable {
  readonly #options: Required<RowHubOptions>;
  readonly #streams = new Map<string, HubStream>();
  /** Last sequence given out, by sink and stream: it must go on when a stream is opened again. */
  readonly #sequences = new WeakMap<Sink, Map<string, number>>();
  #closing: Promise<void> | undefined;

  constructor(options: RowHubOptions) {
    this.#options = {
      always: [],
      queueBytes: 64 * 2 ** 20,
      closeTimeout: 10_000,
      onError: () => undefined,
      ...options,
    };
  }

  /** The ledgers of the open streams. */
  ledgers(): LedgerSnapshot[] {
    return [...this.#streams.values()].map(({ ledger }) => ledger.snapshot());
  }

  /** The open streams, in the order in which they were opened. */
  streams(): { readonly schema: RowSchema; readonly workload: string }[] {
    return [...this.#streams.values()].map(({ schema, workload }) => ({ schema, workload }));
  }

  /** Closes the streams, then the hub's own sinks; a sink that hangs is left after the close timeout. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @throws {@link RowSchemaError} for a schema that cannot be stored, or a stream that is open already */
  open(schema: RowSchema, options: StreamOptions): StreamWriter {
    const { workload } = options;
    if (this.#closing !== undefined) throw new RowsClosedError("the row hub");
    checkSchema(schema);
    const other = this.#streams.get(schema.name);
    if (other !== undefined) {
      throw new RowSchemaError(`stream "${schema.name}" is open already, for workload "${other.workload}"`);
    }
    const { queueBytes, closeTimeout, onError } = this.#options;
    const sinks = [...this.#options.always, ...(options.sinks ?? this.#options.sinks)];
    const queues = sinks.map(
      (sink) =>
        new SinkQueue({
          sink,
          schema,
          maxBytes: queueBytes,
          nextSequence: () => this.#nextSequence(sink, schema.name),
          onError,
        }),
    );
    const stream = new HubStream(schema, workload, queues, closeTimeout, () => this.#streams.delete(schema.name));
    this.#streams.set(schema.name, stream);
    return stream;
  }

  #nextSequence(sink: Sink, stream: string): number {
    const sequences = this.#sequences.get(sink) ?? new Map<string, number>();
    this.#sequences.set(sink, sequences);
    const next = (sequences.get(stream) ?? 0) + 1;
    sequences.set(stream, next);
    return next;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#streams.values()].map((stream) => stream.close()));
    const { always, sinks, closeTimeout } = this.#options;
    const closings = [...always, ...sinks].map(async (sink) => {
      await within(closeTimeout, sink.close(), `sink ${sink.name} did not close`);
    });
    const results = await Promise.allSettled(closings);
    const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    if (failures.length > 0) throw new AggregateError(failures, "closing sinks failed");
  }
}

/** One open stream of a hub. */
class HubStream implements StreamWriter {
  readonly schema: RowSchema;
  readonly workload: string;
  readonly ledger: StreamLedger;
  readonly #queues: readonly SinkQueue[];
  readonly #closeTimeout: number;
  readonly #onClosed: () => void;
  #closing: Promise<void> | undefined;

  constructor(
    schema: RowSchema,
    workload: string,
    queues: readonly SinkQueue[],
    closeTimeout: number,
    onClosed: () => void,
  ) {
    this.schema = schema;
    this.workload = workload;
    this.#queues = queues;
    this.#closeTimeout = closeTimeout;
    this.#onClosed = onClosed;
    this.ledger = new CountingLedger(schema.name, workload, () => queues.map((queue) => queue.counts()));
  }

  write(batch: ColumnBatch): void {
    if (this.#closing !== undefined) throw new RowsClosedError(`stream "${this.schema.name}"`);
    checkBatch(batch);
    for (const queue of this.#queues) queue.offer(batch);
  }

  async flush(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.flush()));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.close(this.#closeTimeout)));
    this.#onClosed();
  }
}

async function within(milliseconds: number, action: Promise<void>, message: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new RowsError("ERR_CLOSE_TIMEOUT", `${message} within ${milliseconds} ms`)),
      milliseconds,
    );
  });
  await Promise.race([action, timeout]).finally(() => clearTimeout(timer));
}
