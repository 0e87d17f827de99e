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
import { sumLedgers } from "./sum-ledgers.ts";

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
  /** By workload and name, in the order in which they were first opened. */
  readonly #histories = new Map<string, StreamHistory>();
  /** The last queue into a sink for a stream: the next one waits for its end. */
  readonly #queues = new WeakMap<Sink, Map<string, SinkQueue>>();
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

  /** The ledger of every stream since it was first opened; those of streams that were closed stay. */
  ledgers(): LedgerSnapshot[] {
    return [...this.#histories.values()].map((history) => history.ledger());
  }

  /** The open streams, in the order in which they were first opened. */
  streams(): { readonly schema: RowSchema; readonly workload: string }[] {
    return [...this.#histories.values()].flatMap(({ current }) =>
      current === undefined ? [] : [{ schema: current.schema, workload: current.workload }],
    );
  }

  /** Closes the streams, then the hub's own sinks; a sink that hangs is left after the close timeout. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * A workload may open a stream that it has open: what is written from then on goes to the new writer's sinks, and the
   * earlier writer is to be closed. The ledger goes on.
   *
   * @throws {@link RowSchemaError} for a schema that cannot be stored, or a stream that another workload has open
   */
  open(schema: RowSchema, options: StreamOptions): StreamWriter {
    const { workload } = options;
    if (this.#closing !== undefined) throw new RowsClosedError("the row hub");
    checkSchema(schema);
    const other = [...this.#histories.values()].find(
      (history) => history.isOpen && history.name === schema.name && history.workload !== workload,
    );
    if (other !== undefined) {
      throw new RowSchemaError(`stream "${schema.name}" is open already, for workload "${other.workload}"`);
    }
    const sinks = [...this.#options.always, ...(options.sinks ?? this.#options.sinks)];
    const key = `${workload} ${schema.name}`;
    const history = this.#histories.get(key) ?? new StreamHistory(schema.name, workload);
    this.#histories.set(key, history);
    const queues = sinks.map((sink) => this.#openQueue(sink, schema));
    return history.add(new HubStream(schema, workload, queues, this.#options.closeTimeout, () => history.end()));
  }

  #openQueue(sink: Sink, schema: RowSchema): SinkQueue {
    const { queueBytes, onError } = this.#options;
    const queues = this.#queues.get(sink) ?? new Map<string, SinkQueue>();
    this.#queues.set(sink, queues);
    const queue = new SinkQueue({
      sink,
      schema,
      maxBytes: queueBytes,
      nextSequence: () => this.#nextSequence(sink, schema.name),
      onError,
      after: queues.get(schema.name)?.ended,
    });
    queues.set(schema.name, queue);
    return queue;
  }

  #nextSequence(sink: Sink, stream: string): number {
    const sequences = this.#sequences.get(sink) ?? new Map<string, number>();
    this.#sequences.set(sink, sequences);
    const next = (sequences.get(stream) ?? 0) + 1;
    sequences.set(stream, next);
    return next;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#histories.values()].map((history) => history.close()));
    const { always, sinks, closeTimeout } = this.#options;
    const closings = [...always, ...sinks].map(async (sink) => {
      await within(closeTimeout, sink.close(), `sink ${sink.name} did not close`);
    });
    const results = await Promise.allSettled(closings);
    const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    if (failures.length > 0) throw new AggregateError(failures, "closing sinks failed");
  }
}

/** A stream of a workload over all the times that it was opened. */
class StreamHistory {
  readonly name: string;
  readonly workload: string;
  /** Open or closing, oldest first. */
  #live: HubStream[] = [];
  /** What those counted that have ended. */
  #past: LedgerSnapshot | undefined;

  constructor(name: string, workload: string) {
    this.name = name;
    this.workload = workload;
  }

  /** The writer that was opened last, if it has not ended. */
  get current(): HubStream | undefined {
    return this.#live.at(-1);
  }

  get isOpen(): boolean {
    return this.#live.length > 0;
  }

  add(stream: HubStream): HubStream {
    this.#live.push(stream);
    return stream;
  }

  /** Moves the writers that have ended into the past. */
  end(): void {
    const ended = this.#live.filter((stream) => stream.hasEnded);
    this.#live = this.#live.filter((stream) => !stream.hasEnded);
    for (const { ledger } of ended) this.#past = sum(this.#past, ledger.snapshot());
  }

  ledger(): LedgerSnapshot {
    const total = this.#live.reduce<LedgerSnapshot | undefined>(
      (past, { ledger }) => sum(past, ledger.snapshot()),
      this.#past,
    );
    return total ?? new CountingLedger(this.name, this.workload, () => []).snapshot();
  }

  async close(): Promise<void> {
    await Promise.all(this.#live.map((stream) => stream.close()));
  }
}

function sum(past: LedgerSnapshot | undefined, next: LedgerSnapshot): LedgerSnapshot {
  return past === undefined ? next : sumLedgers(past, next);
}

/** One writer of a stream. */
class HubStream implements StreamWriter {
  readonly schema: RowSchema;
  readonly workload: string;
  readonly ledger: StreamLedger;
  readonly #queues: readonly SinkQueue[];
  readonly #closeTimeout: number;
  readonly #onEnded: () => void;
  #closing: Promise<void> | undefined;
  hasEnded = false;

  constructor(
    schema: RowSchema,
    workload: string,
    queues: readonly SinkQueue[],
    closeTimeout: number,
    onEnded: () => void,
  ) {
    this.schema = schema;
    this.workload = workload;
    this.#queues = queues;
    this.#closeTimeout = closeTimeout;
    this.#onEnded = onEnded;
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
    this.hasEnded = true;
    this.#onEnded();
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
