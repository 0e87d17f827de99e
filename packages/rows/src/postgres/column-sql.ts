// SPDX-License-Identifier: Apache-2.0

import type { ColumnType } from "@skep/ebpf";

/**
 * The SQL type that each column type is stored as: the smallest that holds every value exactly. u64 has no integer
 * type in SQL; `numeric(20)` holds all of it.
 */
export const SQL_TYPES: Readonly<Record<ColumnType, string>> = {
  bool: "boolean",
  i16: "smallint",
  i32: "integer",
  u32: "bigint",
  i64: "bigint",
  u64: "numeric(20)",
  f64: "double precision",
  time: "timestamptz",
  text: "text",
  texts: "text[]",
  bytes: "bytea",
  ip: "inet",
  addresses: "text[]",
};
