// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import { formatTime, wholeMicroseconds } from "../cells/time-text.ts";
import type { ColumnBatch } from "../column-batch.ts";
import { RowsClosedError } from "../errors.ts";
import { ensureCatalog } from "../postgres/catalog.ts";
import { chunkTable, sealChunk } from "../postgres/chunk.ts";
import { ChunkClaims } from "../postgres/chunk-claims.ts";
import { chunkLimits } from "../postgres/chunk-limits.ts";
import { CopyEncoder } from "../postgres/copy-encoder.ts";
import { copyRows } from "../postgres/copy-rows.ts";
import { enforceRetention } from "../postgres/enforce-retention.ts";
import { openPool, type PostgresAddress } from "../postgres/postgres-address.ts";
import { ensureStreamTable } from "../postgres/stream-table.ts";
import { inTransaction } from "../postgres/transaction.ts";
import type { Retention } from "../retention.ts";
import type { RowSchema } from "../row-schema.ts";
import type { Sink } from "../sink.ts";

/** What is kept of the rows, and who is told when dropping the rest fails. */
export interface PostgresSinkOptions {
  /** Names it in the ledger; `store` when not given. */
  readonly name?: string;
  /** How much of each stream is kept; everything when not given. */
  readonly retention?: Retention;
  /** How often retention is looked after, in milliseconds; a minute when not given. */
  readonly retentionInterval?: number;
  /** Told when looking after retention failed; it is tried again in time. */
  readonly onError?: (error: unknown) => void;
}

const STATEMENT_TIMEOUT = 60_000;

/** How often a chunk's size is asked for: after this share of its limit was written. */
const SIZE_CHECKS = 16;

/** Attempts to write into a chunk that others seal meanwhile, before the caller is told. */
const CHUNK_ATTEMPTS = 3;

/** What the sink knows about an open stream. */
interface OpenStream {
  schema: RowSchema;
  encoder: CopyEncoder;
  chunk: { readonly id: string; readonly since: number; unchecked: number } | undefined;
}

/**
 * Stores rows in PostgreSQL, each exactly once: the sequence of the last write is kept in the same transaction as
 * its rows, so that an attempt whose outcome was unknown is recognised when it is repeated.
 *
 * A stream's rows lie in chunks, tables that inherit from `skep.STREAM`; each writer fills its own and starts
 * another when it is old or large enough (`chunkLimits`). One that a writer left behind, closed or killed, is
 * filled up by the next. Several sinks, in several processes, may write the same stream.
 */
export class PostgresSink implements Sink {
  readonly name: string;
  readonly #pool: Pool;
  readonly #claims: ChunkClaims;
  readonly #retention: Retention;
  readonly #onError: (error: unknown) => void;
  /** This writer in `skep.progress`: a new one for each sink, as sequences start anew. */
  readonly #writer: string = randomUUID();
  readonly #streams = new Map<string, OpenStream>();
  readonly #timer: NodeJS.Timeout;
  #maintenance: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(address: PostgresAddress, options: PostgresSinkOptions = {}) {
    this.name = options.name ?? "store";
    this.#pool = openPool(address, { connections: 5, statement: STATEMENT_TIMEOUT, idle: STATEMENT_TIMEOUT });
    // Keeps one of the connections.
    this.#claims = new ChunkClaims(this.#pool);
    this.#retention = options.retention ?? {};
    this.#onError = options.onError ?? (() => undefined);
    this.#timer = setInterval(() => this.#maintain(), options.retentionInterval ?? 60_000).unref();
  }

  /**
   * Makes or extends the stream's table.
   *
   * @throws {@link RowSchemaError} when a column is there with another type
   */
  async open(schema: RowSchema): Promise<void> {
    this.#assertOpen();
    await ensureCatalog(this.#pool);
    await ensureStreamTable(this.#pool, schema);
    await enforceRetention(this.#pool, schema.name, this.#retention);
    const chunk = this.#streams.get(schema.name)?.chunk;
    this.#streams.set(schema.name, { schema, encoder: new CopyEncoder(schema), chunk });
  }

  async write(batches: readonly ColumnBatch[], sequence: number): Promise<void> {
    this.#assertOpen();
    const first = batches.find(({ length }) => length > 0);
    if (first === undefined) return;
    const stream = this.#streams.get(first.schema.name);
    if (stream === undefined) throw new RowsClosedError(`stream "${first.schema.name}" of sink ${this.name}`);
    for (let attempt = 0; attempt < CHUNK_ATTEMPTS; attempt++) {
      const chunk = await this.#chunkOf(stream);
      if (await this.#writeInto(stream, chunk, batches, sequence)) {
        await this.#checkSize(stream);
        return;
      }
      await this.#leaveChunk(stream);
    }
    throw new RowsClosedError(`every new chunk of stream "${stream.schema.name}"`);
  }

  /** Looks after retention now; otherwise it is done every minute and whenever a chunk is full. */
  async enforceRetention(): Promise<void> {
    for (const stream of this.#streams.keys()) await enforceRetention(this.#pool, stream, this.#retention);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The chunk that takes rows now; another one when there is none or it has had its time. */
  async #chunkOf(stream: OpenStream): Promise<string> {
    const { name } = stream.schema;
    const limits = chunkLimits(this.#retention);
    if (stream.chunk !== undefined && performance.now() - stream.chunk.since > limits.age * 1000) {
      await this.#endChunk(stream, stream.chunk.id);
    }
    if (stream.chunk === undefined) {
      const { id, age } = await this.#claims.take(name, this.#writer, limits);
      stream.chunk = { id, since: performance.now() - age * 1000, unchecked: 0 };
    }
    return stream.chunk.id;
  }

  async #endChunk(stream: OpenStream, id: string): Promise<void> {
    await sealChunk(this.#pool, stream.schema.name, id);
    await this.#leaveChunk(stream);
    this.#maintain();
  }

  async #leaveChunk(stream: OpenStream): Promise<void> {
    const { chunk } = stream;
    stream.chunk = undefined;
    if (chunk !== undefined) await this.#claims.giveUp(chunk.id);
  }

  /** One transaction: progress, rows and the chunk's counts. False when the chunk takes no more rows. */
  async #writeInto(
    stream: OpenStream,
    chunk: string,
    batches: readonly ColumnBatch[],
    sequence: number,
  ): Promise<boolean> {
    const { schema, encoder } = stream;
    return await inTransaction(this.#pool, async (client) => {
      if ((await this.#lockProgress(client, schema.name)) >= sequence) return true;
      const open = await client.query("select from skep.chunks where id = $1 and sealed_at is null for update", [
        chunk,
      ]);
      if (open.rowCount === 0) return false;
      await copyRows(client, chunkTable(schema.name, chunk), schema, encoder, batches);
      const { rows, oldest, newest } = extent(batches);
      await client.query(
        `update skep.chunks set rows = rows + $2, oldest = least(oldest, $3::timestamptz),
           newest = greatest(newest, $4::timestamptz) where id = $1`,
        [chunk, rows, oldest, newest],
      );
      await client.query(
        "update skep.progress set sequence = $3, updated_at = now() where writer = $1 and stream = $2",
        [this.#writer, schema.name, sequence],
      );
      return true;
    });
  }

  /**
   * The last committed sequence. The row stays locked until the transaction ends: an earlier attempt that the
   * server is still busy with holds the lock, so that its outcome is known once this one has it.
   */
  async #lockProgress(client: PoolClient, stream: string): Promise<number> {
    const key = [this.#writer, stream];
    const read = "select sequence from skep.progress where writer = $1 and stream = $2 for update";
    let { rows } = await client.query<{ sequence: string }>(read, key);
    if (rows.length === 0) {
      await client.query(
        "insert into skep.progress (writer, stream, sequence) values ($1, $2, 0) on conflict do nothing",
        key,
      );
      ({ rows } = await client.query<{ sequence: string }>(read, key));
    }
    return Number(rows[0]?.sequence);
  }

  async #checkSize(stream: OpenStream): Promise<void> {
    const { size } = chunkLimits(this.#retention);
    const { chunk, schema } = stream;
    if (chunk === undefined || size === Number.POSITIVE_INFINITY) return;
    // Asking takes about as long as writing a few rows; after each write it would still cost little.
    chunk.unchecked++;
    if (chunk.unchecked < SIZE_CHECKS && size > SIZE_CHECKS * 2 ** 20) return;
    chunk.unchecked = 0;
    const { rows } = await this.#pool.query<{ bytes: string }>("select pg_total_relation_size($1::regclass) as bytes", [
      chunkTable(schema.name, chunk.id),
    ]);
    if (Number(rows[0]?.bytes) <= size) return;
    await this.#endChunk(stream, chunk.id);
  }

  /** Retention in the background, one round at a time. */
  #maintain(): void {
    this.#maintenance = this.#maintenance.then(async () => {
      if (this.#closing !== undefined) return;
      try {
        await this.enforceRetention();
      } catch (error) {
        this.#onError(error);
      }
    });
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#maintenance;
    try {
      if (this.#streams.size > 0) await this.#pool.query("delete from skep.progress where writer = $1", [this.#writer]);
    } catch (error) {
      // The server is away. Others seal old chunks and forget old writers.
      this.#onError(error);
    }
    this.#claims[Symbol.dispose]();
    await this.#pool.end();
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new RowsClosedError(`sink ${this.name}`);
  }
}

/** Number of rows and the first and last of their times. */
function extent(batches: readonly ColumnBatch[]): { rows: number; oldest: string; newest: string } {
  let rows = 0;
  let oldest = Number.POSITIVE_INFINITY;
  let newest = Number.NEGATIVE_INFINITY;
  for (const { length, time } of batches) {
    rows += length;
    for (let row = 0; row < length; row++) {
      const micros = wholeMicroseconds(time[row] ?? 0);
      if (micros < oldest) oldest = micros;
      if (micros > newest) newest = micros;
    }
  }
  return { rows, oldest: formatTime(oldest), newest: formatTime(newest) };
}
