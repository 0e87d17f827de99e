// SPDX-License-Identifier: Apache-2.0

import { stringify } from "yaml";
import type { OutputFormat } from "./format.ts";
import { layOut, printable } from "./table.ts";

/** Rows that are looked at before the widths of a table are settled. */
const SAMPLE = 50;
const WIDEST = 40;

/**
 * Prints rows as they come: JSON as it is, one object a line; YAML as documents; or a table whose widths are settled
 * by the first rows.
 */
export class RowPrinter {
  readonly #format: OutputFormat;
  readonly #print: (text: string) => void;
  #columns: string[] = [];
  #widths: number[] = [];

  constructor(format: OutputFormat, print: (text: string) => void = (text) => void process.stdout.write(text)) {
    this.#format = format;
    this.#print = print;
  }

  /** Prints rows, each a JSON object. */
  rows(lines: readonly string[]): void {
    if (lines.length === 0) return;
    if (this.#format === "json") this.#print(`${lines.join("\n")}\n`);
    else if (this.#format === "yaml") this.#print(lines.map((line) => `---\n${stringify(parse(line))}`).join(""));
    else this.#table(lines.map(parse));
  }

  #table(rows: readonly Record<string, unknown>[]): void {
    if (this.#columns.length === 0) this.#begin(rows);
    this.#print(
      rows
        .map(
          (row) =>
            `${layOut(
              this.#columns.map((column) => cell(column, row[column])),
              this.#widths,
            )}\n`,
        )
        .join(""),
    );
  }

  #begin(rows: readonly Record<string, unknown>[]): void {
    this.#columns = Object.keys(rows[0] ?? {});
    const sample = rows.slice(0, SAMPLE);
    this.#widths = this.#columns.map((column) =>
      Math.min(WIDEST, Math.max(column.length, ...sample.map((row) => cell(column, row[column]).length))),
    );
    this.#print(`${layOut(this.#columns, this.#widths)}\n`);
  }
}

/** Integers beyond 2^53 stay as they are written. */
function parse(line: string): Record<string, unknown> {
  return JSON.parse(line, (_key, value: unknown, context?: { source?: string }) =>
    typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)
      ? BigInt(context?.source ?? value)
      : value,
  ) as Record<string, unknown>;
}

function cell(column: string, value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map((item) => quoted(String(item))).join(" ");
  // The day stands in the prompt of whoever reads a terminal; JSON and YAML have the whole of it.
  if (column === "time" && typeof value === "string") return value.slice(11, 23);
  return printable(String(value));
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${printable(text).replaceAll("'", "'\\''")}'`;
}
