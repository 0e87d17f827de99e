// SPDX-License-Identifier: Apache-2.0

import type { Vector } from "@skep/ebpf";
import type { Column } from "../row-schema.ts";
import { bufferOver } from "./cell-text.ts";
import { type CellValue, cellEnd, cellStart, cellValue } from "./cell-value.ts";

/**
 * One cell as text for a terminal or a page: empty for no value, texts of a list quoted where they hold spaces,
 * bytes in hexadecimal. Control characters and those that turn the direction of writing are escaped (`\x1b`,
 * `\u202e`), so that a process cannot draw on the terminal of whoever watches it.
 */
export function formatCell(column: Column, vector: Vector, row: number): string {
  if (column.type === "bytes" && vector.kind === "bytes" && vector.nulls?.[row] !== 1) {
    return bufferOver(vector.data).toString("hex", cellStart(vector.offsets, row), cellEnd(vector.offsets, row));
  }
  return formatValue(cellValue(column.type, vector, row));
}

/** The same for a value that {@link cellValue} or a query of the store gave; bytes stay base64. */
export function formatValue(value: CellValue): string {
  if (value === null) return "";
  if (typeof value === "object") return value.map(quoteIfNeeded).join(" ");
  return typeof value === "string" ? escapeControls(value) : String(value);
}

function quoteIfNeeded(text: string): string {
  return /^[^\s"'\\]+$/.test(text) ? escapeControls(text) : `"${escapeControls(text.replaceAll(/["\\]/g, "\\$&"))}"`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is what it is for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function escapeControls(text: string): string {
  return text.replaceAll(UNSAFE, (character) => {
    const code = character.charCodeAt(0);
    if (character === "\n") return "\\n";
    if (character === "\t") return "\\t";
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
  });
}
