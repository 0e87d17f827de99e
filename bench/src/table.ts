// SPDX-License-Identifier: Apache-2.0

import type { Row } from "./benchmark.ts";

/** The rows as a table for people, columns aligned. */
export function table(rows: readonly Row[], reference: string): string {
  const cells = [
    ["case", "skep", reference, "unit", "ratio"],
    ...rows.map((row) => [row.case, figure(row.value), figure(row.reference), row.unit, row.ratio.toFixed(2)]),
  ];
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0))) ?? [];
  const isText = (column: number): boolean => column === 0 || column === 3;
  return cells
    .map((line) =>
      line
        .map((cell, i) => (isText(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function figure(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}
