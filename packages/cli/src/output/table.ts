// SPDX-License-Identifier: Apache-2.0

import { stripVTControlCharacters } from "node:util";

/**
 * Lays out rows under their headings, columns two spaces apart. Text that a program chose cannot move the cursor:
 * control characters are shown as `\x1b`.
 */
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

/** The text with control characters made visible. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is for
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (character) =>
    character === "\n"
      ? "\\n"
      : character === "\t"
        ? "\\t"
        : `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

function width(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}
