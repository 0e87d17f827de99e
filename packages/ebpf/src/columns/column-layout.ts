// SPDX-License-Identifier: Apache-2.0

import type { ColumnType } from "../vector.ts";

/** How a field of a record becomes a column. Made from BTF by `columnsOf`. */
export interface ColumnLayout {
  /** Column name: the field's, with those of the structs around it before it (`outer_inner`). */
  readonly name: string;
  readonly type: ColumnType;
  readonly encoding: ColumnEncoding;
  /** Bytes from the start of the record. */
  readonly offset: number;
  /** Bytes of the field; for text and bytes the most that it can hold. */
  readonly size: number;
  /** First bit within `offset`, and how many, when the field is a bitfield. */
  readonly bits?: { readonly offset: number; readonly size: number };
  /** Integers and enums: whether the highest bit is a sign. Absent: it is not. */
  readonly signed?: boolean;
  /** Labels of an enum, by value. */
  readonly labels?: ReadonlyMap<number | bigint, string>;
}

/**
 * How the bytes of a field are read.
 *
 * `integer` with a sign when the layout says so; `boolean`; `float`; `ktime` nanoseconds of the engine's clock;
 * `enum` an integer shown by its label; `cstring` up to the first NUL; `cstrings` NUL-terminated strings one
 * after another; `bytes` as they are; `ipv4`, `ipv6` network order; `ip` 16 bytes where an IPv4-mapped address
 * (RFC 4291, 2.5.5.2) is shown as IPv4; `port` 16 bits in network order; `stack` 64-bit addresses up to the first 0.
 */
export type ColumnEncoding =
  | "integer"
  | "boolean"
  | "float"
  | "ktime"
  | "enum"
  | "cstring"
  | "cstrings"
  | "bytes"
  | "ipv4"
  | "ipv6"
  | "ip"
  | "port"
  | "stack";
