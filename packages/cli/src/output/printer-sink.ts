// SPDX-License-Identifier: Apache-2.0

import { type ColumnBatch, encodeJsonRow, type Sink } from "@skep/rows";
import type { OutputFormat } from "./format.ts";
import { RowPrinter } from "./row-printer.ts";

/** Prints rows to standard output: one table a stream, or JSON or YAML. */
export class PrinterSink implements Sink {
  readonly name = "output";
  readonly #format: OutputFormat;
  readonly #printers = new Map<string, RowPrinter>();
  #last = "";

  constructor(format: OutputFormat) {
    this.#format = format;
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  async write(batches: readonly ColumnBatch[]): Promise<void> {
    for (const batch of batches) {
      const { name } = batch.schema;
      let printer = this.#printers.get(name);
      // Rows of several streams in one terminal: each time it changes, the headings say whose rows follow.
      if (printer === undefined || (this.#format === "table" && this.#last !== name)) {
        printer = new RowPrinter(this.#format);
        this.#printers.set(name, printer);
      }
      this.#last = name;
      printer.rows(Array.from({ length: batch.length }, (_, row) => encodeJsonRow(batch, row)));
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
