// SPDX-License-Identifier: Apache-2.0

import {
  batchOf,
  type ColumnBatch,
  compilePredicate,
  encodeJsonRow,
  type LedgerSnapshot,
  parseWhere,
  type RowPredicate,
  type RowSchema,
} from "@skep/rows";
import type {
  Backend,
  HostInfo,
  LiveOptions,
  LiveRows,
  QueryOptions,
  StreamInfo,
  WorkloadInfo,
} from "../src/backend.ts";

/** What the tests' rows look like: the columns of the bundled collector, with one number beyond 2^53. */
export const EXEC: RowSchema = {
  name: "exec",
  description: "Programs that were executed.",
  columns: [
    { name: "pid", type: "u32", description: "Process id." },
    { name: "ppid", type: "u32", description: "Process id of the parent." },
    { name: "uid", type: "u32", description: "User id." },
    { name: "comm", type: "text", description: "Name of the thread, at most 15 bytes." },
    { name: "filename", type: "text", description: "The file that was executed." },
    { name: "args", type: "texts", description: "Arguments, from the program's own name on." },
    { name: "args_truncated", type: "bool", description: "Whether there were more arguments than fit." },
    { name: "cgroup", type: "u64", description: "Id of the control group (its inode)." },
  ],
};

/** A second stream. */
export const EXEC_EXIT: RowSchema = {
  name: "exec_exit",
  description: "Processes that ended.",
  columns: [
    { name: "pid", type: "u32", description: "Process id." },
    { name: "comm", type: "text", description: "Name of the thread, at most 15 bytes." },
    { name: "code", type: "i32", description: "Exit code." },
    { name: "duration_ns", type: "u64", description: "From execution to exit, nanoseconds." },
  ],
};

const LIVE_ROWS = 2000;

class NoStream extends Error {
  readonly code = "ERR_NOT_FOUND";
}

interface StoredStream {
  readonly schema: RowSchema;
  readonly rows: { readonly batch: ColumnBatch; readonly index: number }[];
  readonly listeners: Set<() => void>;
}

/** Rows in memory behind the server's interface. */
export class MemoryBackend implements Backend {
  readonly #streams = new Map<string, StoredStream>();
  readonly #ledgers = new Map<string, LedgerSnapshot>();
  readonly #startedAt = new Date();
  reloads = 0;
  /** How many live streams are open. */
  following = 0;
  /** What `info` says beyond the usual. */
  details: Partial<HostInfo> = {};
  /** What `workloads` says. */
  hosted: WorkloadInfo[] = [];
  reloadError: Error | undefined;

  constructor(schemas: readonly RowSchema[] = [EXEC, EXEC_EXIT]) {
    for (const schema of schemas) {
      this.#streams.set(schema.name, { schema, rows: [], listeners: new Set() });
      this.count(schema.name, {});
    }
  }

  /** Adds rows, as a workload would. */
  add(stream: string, rows: readonly object[]): void {
    const stored = this.#stream(stream);
    const batch = batchOf(stored.schema, { node: "willow", workload: "exec" }, rows);
    for (let index = 0; index < batch.length; index++) stored.rows.push({ batch, index });
    const { length } = stored.rows;
    this.count(stream, {
      kernel: { seen: length, filtered: 0, failed: 0, submitted: length },
      reader: { read: length, discarded: 0, lost: 0 },
      decoder: { decoded: length, malformed: 0 },
      sinks: [{ sink: "store", offered: length, written: length, dropped: 0, pending: 0, retries: 0 }],
    });
    for (const listener of stored.listeners) listener();
  }

  /** Sets a stream's counts. */
  count(stream: string, counts: Partial<LedgerSnapshot>): void {
    this.#ledgers.set(stream, {
      stream,
      workload: "exec",
      kernel: { seen: 0, filtered: 0, failed: 0, submitted: 0 },
      reader: { read: 0, discarded: 0, lost: 0 },
      decoder: { decoded: 0, malformed: 0 },
      sinks: [],
      differences: [],
      ...this.#ledgers.get(stream),
      ...counts,
    });
  }

  info(): HostInfo {
    return {
      version: "0.1.0",
      node: "willow",
      kernel: "6.12.43-amd64",
      recording: false,
      startedAt: this.#startedAt,
      storage: {
        kind: "embedded",
        location: "/var/lib/skep",
        bytes: 73_400_320,
        retention: { age: 604_800, size: 2 ** 30 },
      },
      ...this.details,
    };
  }

  streams(): StreamInfo[] {
    return [...this.#streams.values()].map(({ schema }) => ({ schema, workload: "exec" }));
  }

  workloads(): WorkloadInfo[] {
    return this.hosted;
  }

  ledgers(): LedgerSnapshot[] {
    return [...this.#ledgers.values()];
  }

  async query(stream: string, { where, limit, before }: QueryOptions): Promise<AsyncIterable<readonly string[]>> {
    const { schema, rows } = this.#stream(stream);
    const passes = predicate(schema, where);
    const found = rows
      .toReversed()
      .filter(({ batch, index }) => passes(batch, index) && (before === undefined || (batch.time[index] ?? 0) < before))
      .slice(0, limit);
    return (async function* () {
      for (const { batch, index } of found) yield [encodeJsonRow(batch, index)];
    })();
  }

  async live(stream: string, options: LiveOptions): Promise<AsyncIterable<LiveRows>> {
    const stored = this.#stream(stream);
    return this.#follow(stored, predicate(stored.schema, options.where), options);
  }

  async *#follow(
    stored: StoredStream,
    passes: RowPredicate,
    { backlog, signal }: LiveOptions,
  ): AsyncGenerator<LiveRows> {
    this.following++;
    try {
      const { rows } = stored;
      const matching = rows.filter(({ batch, index }) => passes(batch, index));
      yield { lines: lines(backlog === 0 ? [] : matching.slice(-backlog)), missed: 0 };
      for (let next = rows.length; !signal.aborted; ) {
        if (next === rows.length) await changed(stored, signal);
        const missed = Math.max(0, rows.length - next - LIVE_ROWS);
        const fresh = rows.slice(next + missed).filter(({ batch, index }) => passes(batch, index));
        next = rows.length;
        if (fresh.length > 0) yield { lines: lines(fresh), missed };
      }
    } finally {
      this.following--;
    }
  }

  metrics(): Promise<string> {
    return Promise.resolve('# TYPE skep_rows_total counter\nskep_rows_total{stream="exec"} 3\n');
  }

  async reload(): Promise<void> {
    if (this.reloadError !== undefined) throw this.reloadError;
    this.reloads++;
  }

  #stream(name: string): StoredStream {
    const stream = this.#streams.get(name);
    if (stream === undefined)
      throw new NoStream(`no stream "${name}"; there are ${[...this.#streams.keys()].join(", ")}`);
    return stream;
  }
}

function predicate(schema: RowSchema, where: string | undefined): RowPredicate {
  return compilePredicate(parseWhere(where ?? "", schema));
}

function lines(rows: StoredStream["rows"]): string[] {
  return rows.map(({ batch, index }) => encodeJsonRow(batch, index));
}

function changed({ listeners }: StoredStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      listeners.delete(done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    listeners.add(done);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
