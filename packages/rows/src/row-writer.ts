// SPDX-License-Identifier: Apache-2.0

import type { ColumnBatch } from "./column-batch.ts";
import type { StreamLedger } from "./ledger.ts";
import type { RowSchema } from "./row-schema.ts";
import type { Sink } from "./sink.ts";

/** Where a workload puts its rows. */
export interface RowWriter {
  /**
   * Opens a stream. Its name must not be another workload's. The workload that has it open may open it anew, with
   * another schema or other sinks, and closes the earlier writer then; the stream's ledger goes on.
   * Its rows go to `sinks`, or to the writer's default sinks when none are given.
   */
  open(schema: RowSchema, options: StreamOptions): StreamWriter;
}

/** Whose stream it is, and where it goes. */
export interface StreamOptions {
  /** Name of the workload, for the ledger. */
  readonly workload: string;
  /** Instead of the default sinks. The caller closes them, after the stream. */
  readonly sinks?: readonly Sink[];
}

/** One open stream. */
export interface StreamWriter extends AsyncDisposable {
  readonly schema: RowSchema;
  readonly ledger: StreamLedger;
  /**
   * Hands a batch to every sink. Never waits: each sink has its own bounded queue, and a batch that finds a
   * queue full is dropped for that sink alone and counted there.
   */
  write(batch: ColumnBatch): void;
  /** Resolves when every sink has written, or given up, all that was handed in before. */
  flush(): Promise<void>;
  /** Flushes, then closes the stream. */
  close(): Promise<void>;
}
