// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { executableSymbols } from "./executable-symbols.ts";
import { findExecutable } from "./find-executable.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "skep-symbols-"));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("executableSymbols", () => {
  it("tells where in the file each function's code begins", () => {
    const libc = findExecutable("libc.so.6") ?? "";
    const symbols = executableSymbols(libc);
    const getppid = symbols.get("getppid");
    expect(getppid?.size).toBeGreaterThan(0);
    const code = readFileSync(libc).subarray(getppid?.offset, (getppid?.offset ?? 0) + (getppid?.size ?? 0));
    // The number of getppid(2) is in the code: 110 on x86-64 (mov eax), 173 on arm64 (mov x8).
    const wanted = process.arch === "arm64" ? Buffer.from([0xa8, 0x15, 0x80, 0xd2]) : Buffer.from([0xb8, 110, 0, 0, 0]);
    expect(code.includes(wanted)).toBe(true);
  });

  it("leaves out variables and functions of other files", () => {
    const symbols = executableSymbols(findExecutable("bash") ?? "");
    expect(symbols.has("getppid")).toBe(false);
    expect(executableSymbols(findExecutable("libc.so.6") ?? "").has("environ")).toBe(false);
  });

  it.each([
    ["an empty file", Buffer.alloc(0)],
    ["a text", Buffer.from("#!/bin/sh\n".repeat(20))],
    ["a 32-bit file", Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 1]), Buffer.alloc(100)])],
  ])("refuses %s", (_what, bytes) => {
    const path = join(folder, "file");
    writeFileSync(path, bytes);
    expect(() => executableSymbols(path)).toThrow("is no 64-bit little-endian ELF file");
  });

  it("refuses a section table beyond the end of the file", () => {
    const path = join(folder, "truncated");
    writeFileSync(path, readFileSync("/bin/true").subarray(0, 4096));
    expect(() => executableSymbols(path)).toThrow("its section table ends beyond the file");
  });
});

describe("findExecutable", () => {
  it("finds libraries where the loader does and programs where the shell does", () => {
    expect(findExecutable("libc.so.6")).toMatch(/^\/.*\/libc\.so\.6$/);
    expect(findExecutable("sh")).toMatch(/\/sh$/);
    expect(findExecutable("/bin/sh")).toBe("/bin/sh");
    expect(findExecutable("/no/such")).toBeUndefined();
    expect(findExecutable("no-such-program")).toBeUndefined();
  });
});
