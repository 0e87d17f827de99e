// SPDX-License-Identifier: Apache-2.0

import type { ColumnBatch } from "./column-batch.ts";
import type { RowSchema } from "./row-schema.ts";

/** Where rows end up: memory, a file, PostgreSQL. */
export interface Sink extends AsyncDisposable {
  /** Names it in the ledger, such as `store` or `ndjson:/var/log/exec.ndjson`. */
  readonly name: string;
  /** Makes room for a stream: a table, a file. Called before its first batch, and again when its schema changed. */
  open(schema: RowSchema): Promise<void>;
  /**
   * Takes the batches, in order. Resolves once they are as safe as this sink can make them, with all of the
   * rows or, when it rejects, none: the caller offers the same batches again. A sink that cannot tell whether an
   * earlier attempt went through tells by `sequence`, which grows with every call for a stream and is the same
   * when an attempt is repeated.
   */
  write(batches: readonly ColumnBatch[], sequence: number): Promise<void>;
  /** Ends what is under way and releases the sink. */
  close(): Promise<void>;
}
