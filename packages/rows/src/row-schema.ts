// SPDX-License-Identifier: Apache-2.0

import type { ColumnType } from "@skep/ebpf";

/** A column of a stream. */
export interface Column {
  /** Lower-case letters, digits and underscores, at most 63 bytes: it becomes a SQL identifier. */
  readonly name: string;
  readonly type: ColumnType;
  /** What it means and its unit; becomes the column's comment in SQL. */
  readonly description?: string;
}

/**
 * What a stream carries. Every stored row has three columns before these: `time` (when it happened), `node`
 * and `workload` (which one saw it).
 */
export interface RowSchema {
  /** The stream's name and its table's: lower-case letters, digits and underscores, at most 48 bytes. */
  readonly name: string;
  readonly description?: string;
  readonly columns: readonly Column[];
}
