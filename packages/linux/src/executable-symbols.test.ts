// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
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

  it("finds what programs are linked with, where a library has several functions of a name", () => {
    const libc = findExecutable("libc.so.6") ?? "";
    const table = execFileSync("readelf", ["-W", "--dyn-syms", libc], { encoding: "utf8" });
    const placesOf = (name: string, version: "@" | "@@"): string[] =>
      [...table.matchAll(new RegExp(`([0-9a-f]{16}) +\\S+ I?FUNC .* ${name}${version}GLIBC`, "g"))].map(
        ([, at = ""]) => at,
      );
    const symbols = executableSymbols(libc);
    for (const name of process.arch === "arm64" ? [] : ["pthread_cond_init", "glob64", "posix_spawn", "memcpy"]) {
      const address = Number(`0x${placesOf(name, "@@")[0]}`);
      expect(Number(`0x${placesOf(name, "@")[0]}`)).not.toBe(address);
      // This library's code lies in the file where it lies in memory.
      expect(symbols.get(name)).toMatchObject({ offset: address, others: [] });
    }
    expect(symbols.get("getppid")).toMatchObject({ indirect: false, others: [] });
    // Chosen for the processor, by a function of the same name that runs when a program starts.
    expect(symbols.get("memcpy")?.indirect).toBe(true);
  });

  it("finds them by the table for the linker, too, which has the versions in the names", () => {
    const [source, script, library] = ["versions.c", "versions.map", "libversions.so"].map((name) =>
      join(folder, name),
    );
    const versions = ".symver old, f@V1\\n.symver new, f@@V2";
    writeFileSync(source ?? "", `asm("${versions}");\nint old(void) { return 1; }\nint new(void) { return 2; }`);
    writeFileSync(script ?? "", "V1 { global: f; local: *; };\nV2 { global: f; } V1;\n");
    execFileSync("cc", ["-shared", "-fPIC", `-Wl,--version-script=${script}`, "-o", library ?? "", source ?? ""]);
    const table = execFileSync("nm", [library ?? ""], { encoding: "utf8" });
    const offset = Number(`0x${/^([0-9a-f]+) T f@@V2$/m.exec(table)?.[1]}`);
    expect(executableSymbols(library ?? "").get("f")).toMatchObject({ offset, others: [] });
  });

  it("prefers the function that all files see, and tells of several that each but one sees", () => {
    const [first, second, program] = ["first.c", "second.c", "program"].map((name) => join(folder, name));
    const hidden = "static __attribute__((noinline)) int both(int a) { return a + 1; }";
    const seen = "__attribute__((noinline)) int seen(int a) { return a * 3; }";
    writeFileSync(first ?? "", `${hidden}\nstatic ${seen}\nint one(int a) { return both(a) + seen(a); }`);
    writeFileSync(
      second ?? "",
      `${hidden}\n${seen}\nint one(int);\nint main(int a) { return both(a) + seen(a) + one(a); }`,
    );
    execFileSync("cc", ["-O1", "-fno-ipa-cp", "-o", program ?? "", first ?? "", second ?? ""]);
    const table = execFileSync("nm", [program ?? ""], { encoding: "utf8" });
    const places = (letter: string, name: string): number[] =>
      [...table.matchAll(new RegExp(`^([0-9a-f]+) ${letter} ${name}$`, "gm"))].map(([, at]) => Number(`0x${at}`));
    const symbols = executableSymbols(program ?? "");
    expect(places("t", "seen")).toHaveLength(1);
    expect(symbols.get("seen")).toMatchObject({ offset: places("T", "seen")[0], others: [] });
    const both = symbols.get("both");
    expect([both?.offset, ...(both?.others ?? [])].sort()).toEqual(places("t", "both").sort());
    expect(both?.others).toHaveLength(1);
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
