// SPDX-License-Identifier: Apache-2.0

import { printable } from "./safe-text.ts";

/** Lays out rows under their headings, columns two spaces apart. Cells may hold text that others chose. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows.map((row) => row.map(printable))];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ""))));
  return `${all.map((row) => layOut(row, widths)).join("\n")}\n`;
}

/** One line of a table with these column widths; the last column is not padded. */
export function layOut(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) =>
      column === cells.length - 1 ? cell : cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - width(cell))),
    )
    .join("  ")
    .trimEnd();
}

/** Characters of a text. */
export function width(text: string): number {
  return [...text].length;
}
