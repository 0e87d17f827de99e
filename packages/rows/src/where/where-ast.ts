// SPDX-License-Identifier: Apache-2.0

import type { ColumnType } from "@skep/ebpf";
import type { Pattern } from "./pattern.ts";

/** A column that a filter looks at: of the schema, or `time`, `node`, `workload`. */
export interface WhereColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** A literal, already of its column's type: bigint for whole numbers, microseconds since 1970 for times, bytes for `ip` and `bytes`. */
export type WhereValue = boolean | number | bigint | string | Uint8Array;

/** How two values are compared. Text compares by code points. */
export type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=";

/**
 * A filter, checked against a schema. Every leaf is true or false, never unknown: on a cell without a value all
 * of them but `null` are false, `!=` and `!~` too.
 */
export type Where =
  | { readonly kind: "all" }
  | { readonly kind: "and" | "or"; readonly terms: readonly Where[] }
  | { readonly kind: "not"; readonly term: Where }
  | { readonly kind: "null"; readonly column: WhereColumn }
  | {
      readonly kind: "compare";
      readonly column: WhereColumn;
      readonly operator: Comparison;
      readonly value: WhereValue;
    }
  | { readonly kind: "in"; readonly column: WhereColumn; readonly values: readonly WhereValue[] }
  | { readonly kind: "contains"; readonly column: WhereColumn; readonly text: string }
  | { readonly kind: "match"; readonly column: WhereColumn; readonly pattern: Pattern; readonly negated: boolean };

/** Whether cells of this type are lists, on which a leaf holds when it does for any element. */
export function isListType(type: ColumnType): boolean {
  return type === "texts" || type === "addresses";
}
