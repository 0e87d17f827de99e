// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readBoundedFile } from "./read-bounded-file.ts";

describe("readBoundedFile", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "skep-read-"));
    path = join(folder, "file");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("reads a file of exactly the most bytes, and none that has one more", () => {
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 256));
    writeFileSync(path, bytes);
    expect(readBoundedFile(path, 1000).equals(bytes)).toBe(true);
    expect(() => readBoundedFile(path, 999)).toThrow(/^it is 1000 bytes, wanted at most 999 bytes$/);
  });

  it("reads files that do not say how large they are, and stops at the bound all the same", () => {
    expect(readBoundedFile("/proc/self/maps", 2 ** 20).length).toBeGreaterThan(1000);
    expect(() => readBoundedFile("/proc/self/maps", 100)).toThrow(/^it is larger, wanted at most 100 bytes$/);
  });

  it("refuses a pipe without a writer, a device without an end and a folder, without waiting", () => {
    execFileSync("mkfifo", [path]);
    expect(() => readBoundedFile(path, 100)).toThrow("it is a pipe, wanted a regular file");
    expect(() => readBoundedFile("/dev/zero", 100)).toThrow("it is a device, wanted a regular file");
    expect(() => readBoundedFile(folder, 100)).toThrow("it is a folder, wanted a regular file");
  });

  it("leaves it to the caller to name the file", () => {
    expect(() => readBoundedFile(path, 100)).toThrow(/^ENOENT: no such file or directory$/);
  });
});
