// SPDX-License-Identifier: Apache-2.0

/**
 * Rows of typed columns on their way from what observes to what keeps them: batches, sinks, the store in PostgreSQL, filters,
 * and the ledger that accounts for every row.
 *
 * @module rows
 */
export { Backoff } from "./backoff.ts";
export { batchBytes } from "./batch-bytes.ts";
export { batchOf, type RowOrigin } from "./batch-from-rows.ts";
export { addressesBetween } from "./cells/address-text.ts";
export { textBetween, textsBetween } from "./cells/cell-text.ts";
export { type CellValue, cellValue, isNullCell, type RowObject } from "./cells/cell-value.ts";
export { formatCell, formatValue } from "./cells/format-cell.ts";
export { formatIp, parseIp } from "./cells/ip-text.ts";
export { encodeJsonObject, encodeJsonRow, rowObject } from "./cells/row-json.ts";
export { formatTime, parseTime } from "./cells/time-text.ts";
export { BUILT_IN_COLUMNS, checkBatch, checkSchema } from "./check-schema.ts";
export type { ColumnBatch } from "./column-batch.ts";
export { CountingLedger } from "./counting-ledger.ts";
export {
  QueryExpiredError,
  RowSchemaError,
  RowsClosedError,
  RowsError,
  RowValueError,
  StoreBusyError,
  StoreError,
  StoreInUseError,
} from "./errors.ts";
export type {
  DecoderCounts,
  KernelCounts,
  LedgerDifference,
  LedgerSnapshot,
  ReaderCounts,
  SinkCounts,
  StreamLedger,
} from "./ledger.ts";
export { SQL_TYPES } from "./postgres/column-sql.ts";
export { COPY_HEADER, COPY_TRAILER, CopyEncoder } from "./postgres/copy-encoder.ts";
export type { PostgresAddress } from "./postgres/postgres-address.ts";
export { parseDuration, parseSize, type Retention } from "./retention.ts";
export { RowHub, type RowHubOptions } from "./row-hub.ts";
export type { Column, RowSchema } from "./row-schema.ts";
export type { RowWriter, StreamOptions, StreamWriter } from "./row-writer.ts";
export type { Sink } from "./sink.ts";
export { BatchSubscription, type SubscriptionOptions } from "./sinks/batch-subscription.ts";
export { MemorySink, type MemorySinkOptions } from "./sinks/memory-sink.ts";
export { NdjsonSink, type NdjsonSinkOptions } from "./sinks/ndjson-sink.ts";
export { PostgresSink, type PostgresSinkOptions } from "./sinks/postgres-sink.ts";
export { EmbeddedPostgres, type EmbeddedPostgresOptions, type PostgresEvent } from "./store/embedded-postgres.ts";
export { isDataFolderInUse, lockDataFolder } from "./store/folder-lock.ts";
export { makeFolder } from "./store/make-folder.ts";
export { removeStore } from "./store/remove-store.ts";
export type { RowQuery } from "./store/row-query.ts";
export { openStore, RowStore, type StoreLocation } from "./store/row-store.ts";
export type { StoredStream } from "./store/stored-streams.ts";
export { compilePredicate, type RowPredicate } from "./where/compile-predicate.ts";
export { compileSql } from "./where/compile-sql.ts";
export { parseWhere, type WhereOptions, whereColumns } from "./where/parse-where.ts";
export type { CodeRange, Pattern, PatternNode } from "./where/pattern.ts";
export type { Comparison, Where, WhereColumn, WhereValue } from "./where/where-ast.ts";
export { WhereError } from "./where/where-error.ts";
