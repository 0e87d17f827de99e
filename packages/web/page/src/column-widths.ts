// SPDX-License-Identifier: Apache-2.0

import type { WireColumn } from "../../src/wire.ts";
import { cellText, type Row } from "./row.ts";

/** How wide a column is. */
export interface Width {
  readonly name: string;
  /** At least so many characters fit. */
  readonly characters: number;
  /** Takes the room that is left. At most one column of a table does. */
  readonly flexible: boolean;
}

/** Characters that a column gets at most, and those that the flexible one gets at least. */
const WIDEST = 40;
const NARROWEST = 28;

/** Widths that fit a sample of the rows, with a list of texts, or else the longest text, as the flexible one. */
export function columnWidths(columns: readonly WireColumn[], sample: readonly Row[]): Width[] {
  const lengths = columns.map((column) =>
    sample.reduce(
      (most, row) => Math.max(most, cellText(column, row.values[column.name]).length),
      column.name.length + 1,
    ),
  );
  const preference = columns.map(({ type }, index) => {
    const length = lengths[index] ?? 0;
    return type === "texts" ? 1000 + length : type === "text" && length > NARROWEST ? length : 0;
  });
  const highest = Math.max(...preference);
  return columns.map(({ name }, index) => {
    const flexible = highest > 0 && index === preference.indexOf(highest);
    return { name, characters: Math.min(lengths[index] ?? 0, flexible ? NARROWEST : WIDEST), flexible };
  });
}
