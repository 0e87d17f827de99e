// SPDX-License-Identifier: Apache-2.0

import { type CellValue, formatValue } from "@skep/rows";
import type { OutputFormat } from "./format.ts";
import { print } from "./print.ts";
import { RowTable } from "./row-table.ts";
import { printableJson, printableYaml } from "./safe-text.ts";

/** A row as JSON had it. */
type JsonRow = Readonly<Record<string, CellValue>> & { readonly time: string };

/** Prints rows that come as JSON objects: as they are, one a line; as YAML documents; or as a table. */
export class RowPrinter {
  readonly #format: OutputFormat;
  readonly #print: (text: string) => Promise<void>;
  #table: RowTable | undefined;

  constructor(format: OutputFormat, write: (text: string) => Promise<void> = print) {
    this.#format = format;
    this.#print = write;
  }

  /** Prints rows, each a JSON object that begins with `time`. Resolves when they are printed. */
  async rows(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await this.#print(this.#text(lines));
  }

  #text(lines: readonly string[]): string {
    if (this.#format === "json") return printableJson(`${lines.join("\n")}\n`);
    const rows = lines.map(parse);
    if (this.#format === "yaml") return rows.map((row) => `---\n${printableYaml(row)}`).join("");
    this.#table ??= new RowTable(Object.keys(rows[0] ?? {}).slice(1));
    return this.#table.lines(
      rows.map(({ time, ...cells }) => ({ time: Date.parse(time), cells: Object.values(cells).map(formatValue) })),
    );
  }
}

/** Integers beyond 2^53 stay as they are written. */
function parse(line: string): JsonRow {
  return JSON.parse(line, (_key, value: unknown, context?: { source?: string }) =>
    typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)
      ? BigInt(context?.source ?? value)
      : value,
  ) as JsonRow;
}
