// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { formatTable } from "./table.ts";

describe("formatTable", () => {
  it("pads every column but the last", () => {
    expect(
      formatTable(
        ["name", "size"],
        [
          ["a", "1"],
          ["longer", "22"],
        ],
      ),
    ).toBe("name    size\na       1\nlonger  22\n");
  });

  it("shows control characters instead of obeying them", () => {
    expect(formatTable(["name"], [["a\x1b[2Jb\nc"]])).toBe("name\na\\x1b[2Jb\\nc\n");
  });
});
