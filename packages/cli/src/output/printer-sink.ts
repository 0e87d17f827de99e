// SPDX-License-Identifier: Apache-2.0

import { type ColumnBatch, encodeJsonRow, formatCell, formatValue, rowObject, type Sink } from "@skep/rows";
import type { OutputFormat } from "./format.ts";
import { print, ReaderGoneError } from "./print.ts";
import { RowTable, type TableRow } from "./row-table.ts";
import { printableJson, printableYaml } from "./safe-text.ts";

/**
 * Prints rows to standard output: one table a stream, or JSON or YAML. A reader that is slow holds it up, and with it
 * the bounded queue before it.
 */
export class PrinterSink implements Sink {
  readonly name = "output";
  readonly #format: OutputFormat;
  readonly #print: (text: string) => Promise<void>;
  #table: RowTable | undefined;
  /** The stream whose rows were printed last. */
  #last = "";

  constructor(format: OutputFormat, write: (text: string) => Promise<void> = print) {
    this.#format = format;
    this.#print = write;
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  async write(batches: readonly ColumnBatch[]): Promise<void> {
    try {
      await this.#print(batches.map((batch) => this.#text(batch)).join(""));
    } catch (error) {
      // The reader has gone, as in `skep run -f x.yaml | head`: it had all the rows that it wanted.
      if (!(error instanceof ReaderGoneError)) throw error;
    }
  }

  #text(batch: ColumnBatch): string {
    const rows = Array.from({ length: batch.length }, (_, row) => row);
    if (this.#format === "json") return printableJson(rows.map((row) => `${encodeJsonRow(batch, row)}\n`).join(""));
    if (this.#format === "yaml") return rows.map((row) => `---\n${printableYaml(rowObject(batch, row))}`).join("");
    const { name, columns } = batch.schema;
    // Rows of several streams in one terminal: each time it changes, the headings say whose rows follow.
    if (this.#table === undefined || this.#last !== name) {
      this.#table = new RowTable(["node", "workload", ...columns.map((column) => column.name)]);
    }
    this.#last = name;
    return this.#table.lines(rows.map((row) => tableRow(batch, row)));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function tableRow(batch: ColumnBatch, row: number): TableRow {
  const cells = [formatValue(batch.node), formatValue(batch.workload)];
  batch.schema.columns.forEach((column, index) => {
    const vector = batch.vectors[index];
    cells.push(vector === undefined ? "" : formatCell(column, vector, row));
  });
  return { time: (batch.time[row] ?? 0) / 1000, cells };
}
