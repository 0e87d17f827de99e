// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BoundedLog } from "./bounded-log.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "skep-log-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe("BoundedLog", () => {
  it("keeps two files of a bounded size, the newest lines in them", () => {
    const log = new BoundedLog(join(folder, "log"), 100);
    for (let line = 0; line < 100; line++) log.append(`line ${line}\n`);
    expect(readdirSync(folder).toSorted()).toEqual(["log", "log.1"]);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(100);
    expect(readFileSync(join(folder, "log"), "utf8")).toContain("line 99\n");
    expect(log.tail(2)).toBe("line 98; line 99");
  });

  it("goes on counting in a file that was there", () => {
    new BoundedLog(join(folder, "log"), 20).append("0123456789\n");
    new BoundedLog(join(folder, "log"), 20).append("0123456789\n");
    expect(readFileSync(join(folder, "log.1"), "utf8")).toBe("0123456789\n");
  });

  it("goes on without a disk", () => {
    const log = new BoundedLog(join(folder, "missing", "log"), 20);
    log.append("lost\n");
    expect(log.tail(1)).toBe("lost");
  });
});
