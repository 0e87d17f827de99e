// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolder } from "./make-folder.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "skep-test-"));
});

afterEach(() => rmSync(root, { recursive: true }));

describe("makeFolder", () => {
  it("makes what is missing, and takes what is there", () => {
    const path = join(root, "a", "b", "c");
    expect(makeFolder(path, 0o700)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(makeFolder(path, 0o711)).toBe(false);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it("refuses a file in its place, and a place below a file", () => {
    writeFileSync(join(root, "file"), "");
    expect(() => makeFolder(join(root, "file"), 0o700)).toThrow("something else has that name");
    expect(() => makeFolder(join(root, "file", "x"), 0o700)).toThrow("ENOTDIR");
  });

  it("says that a link leads nowhere, at the end of the path or on its way", () => {
    const link = join(root, "link");
    symlinkSync(join(root, "gone"), link);
    const found = `${link} is a symbolic link to ${join(root, "gone")}, where nothing is; choose another with --data`;
    expect(() => makeFolder(link, 0o700)).toThrow(`data folder ${link} cannot be made: ${found}`);
    expect(() => makeFolder(join(link, "data"), 0o700)).toThrow(`data folder ${link}/data cannot be made: ${found}`);
  });

  it("gives up where nothing can be made", () => {
    expect(() => makeFolder("/proc/skep/data", 0o700)).toThrow("cannot be made: ENOENT");
  });
});
