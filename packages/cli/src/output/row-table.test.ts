// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { RowTable } from "./row-table.ts";

/** Noon, local time, of a day in January 2026. */
const noon = (day: number): number => new Date(2026, 0, day, 12, 0, 0, 7).getTime();
const row = (day: number, cell = "x"): { time: number; cells: string[] } => ({ time: noon(day), cells: [cell, "end"] });

describe("a table of rows", () => {
  it("says the day once, above local times, and settles its widths by the first rows", () => {
    const table = new RowTable(["comm", "last"]);
    expect(table.lines([row(5, "bash"), row(5)])).toBe(
      "2026-01-05    comm  last\n12:00:00.007  bash  end\n12:00:00.007  x     end\n",
    );
    expect(table.lines([row(5, "longer")])).toBe("12:00:00.007  longer  end\n");
    expect(table.lines([])).toBe("");
  });

  it("puts the day before each time when rows are of several days", () => {
    const table = new RowTable(["comm", "last"]);
    expect(table.lines([row(5), row(6)])).toBe(
      "time                     comm  last\n2026-01-05 12:00:00.007  x     end\n2026-01-06 12:00:00.007  x     end\n",
    );
    expect(table.lines([row(7)])).toBe("2026-01-07 12:00:00.007  x     end\n");
  });

  it("begins again when a new day begins", () => {
    const table = new RowTable(["comm", "last"]);
    table.lines([row(5)]);
    expect(table.lines([row(6)])).toBe("2026-01-06    comm  last\n12:00:00.007  x     end\n");
  });
});
