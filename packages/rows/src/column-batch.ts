// SPDX-License-Identifier: Apache-2.0

import type { Vector } from "@skep/ebpf";
import type { RowSchema } from "./row-schema.ts";

/** Rows of one stream, column by column. Immutable once written: several sinks read the same one. */
export interface ColumnBatch {
  readonly schema: RowSchema;
  /** The node that the rows come from; `recording` for replayed ones. */
  readonly node: string;
  /** Name of the workload that they come from. */
  readonly workload: string;
  /** How many rows. */
  readonly length: number;
  /** When each row happened: microseconds since 1970. */
  readonly time: Float64Array;
  /** One a column of the schema, in its order. */
  readonly vectors: readonly Vector[];
}
