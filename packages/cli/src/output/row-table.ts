// SPDX-License-Identifier: Apache-2.0

import { layOut, width } from "./table.ts";

/** Rows that are looked at before the widths of a table are settled. */
const SAMPLE = 50;
const WIDEST = 40;

/** One row as it is printed: when it happened, and the text of its other cells. */
export interface TableRow {
  /** When it happened: milliseconds since 1970. */
  readonly time: number;
  /** What stands in the other columns, safe to print. */
  readonly cells: readonly string[];
}

/**
 * A table that grows: the first rows settle its widths. Times are local. While all rows are of one day, that stands
 * above the times instead of `time`; rows of several days have it before each time.
 */
export class RowTable {
  readonly #columns: readonly string[];
  #widths: readonly number[] = [];
  /** The day that stands above the times; undefined when each row has its own. */
  #day: string | undefined;
  #begun = false;

  /** @param columns - headings of the columns after the time */
  constructor(columns: readonly string[]) {
    this.#columns = columns;
  }

  /** The lines for more rows, each with its line break; headings again when the day that stands there is over. */
  lines(rows: readonly TableRow[]): string {
    if (rows.length === 0) return "";
    const days = new Set(rows.map(({ time }) => dayOf(time)));
    const [day] = days;
    const sameDay = days.size === 1 && day === this.#day;
    const headings = this.#begun && (this.#day === undefined || sameDay) ? "" : this.#begin(rows, days);
    return headings + rows.map((row) => `${layOut(this.#cells(row), this.#widths)}\n`).join("");
  }

  #begin(rows: readonly TableRow[], days: ReadonlySet<string>): string {
    const [first] = days;
    this.#begun = true;
    this.#day = days.size === 1 ? first : undefined;
    const headings = [this.#day ?? "time", ...this.#columns];
    const sample = rows.slice(0, SAMPLE).map((row) => this.#cells(row));
    this.#widths = headings.map((heading, column) =>
      Math.min(WIDEST, Math.max(width(heading), ...sample.map((cells) => width(cells[column] ?? "")))),
    );
    return `${layOut(headings, this.#widths)}\n`;
  }

  #cells({ time, cells }: TableRow): string[] {
    return [this.#day === undefined ? `${dayOf(time)} ${clockOf(time)}` : clockOf(time), ...cells];
  }
}

function dayOf(time: number): string {
  const date = new Date(time);
  return [digits(date.getFullYear(), 4), digits(date.getMonth() + 1, 2), digits(date.getDate(), 2)].join("-");
}

function clockOf(time: number): string {
  const date = new Date(time);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => digits(part, 2));
  return `${parts.join(":")}.${digits(date.getMilliseconds(), 3)}`;
}

function digits(number: number, count: number): string {
  return String(number).padStart(count, "0");
}
