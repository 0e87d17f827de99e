// SPDX-License-Identifier: Apache-2.0

import { readFileSync, writeFileSync } from "node:fs";
import { TempFolder, UsdtProgram } from "@skep/testbed";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ElfTables } from "./elf-tables.ts";
import { findExecutable } from "./find-executable.ts";
import { symbolAddresses, usdtSites } from "./usdt-probes.ts";

const libc = findExecutable("libc.so.6") ?? "";
let program: UsdtProgram;
let folder: TempFolder;

beforeAll(() => {
  program = new UsdtProgram("pie");
  folder = new TempFolder();
});

afterAll(() => {
  program[Symbol.dispose]();
  folder[Symbol.dispose]();
});

/** A copy of the program whose first USDT note, which begins at `note`, was changed. */
function changed(change: (bytes: Buffer, note: number) => void): string {
  using file = new ElfTables(program.path);
  const bytes = readFileSync(program.path);
  change(bytes, file.sections.find(({ name }) => name === ".note.stapsdt")?.offset ?? 0);
  const path = folder.join("changed");
  writeFileSync(path, bytes);
  return path;
}

describe("usdtSites", () => {
  it("finds each place of each probe, where the code has its nop", () => {
    const sites = usdtSites(program.path);
    const names = sites.map(({ provider, name }) => `${provider}:${name}`).sort();
    expect(names).toEqual(["kinds", "request", "request", "silent", "watched"].map((name) => `skep_test:${name}`));
    const bytes = readFileSync(program.path);
    const nop = process.arch === "arm64" ? [0x1f, 0x20, 0x03, 0xd5] : [0x90];
    for (const { offset, fixed } of sites) {
      expect([...bytes.subarray(offset, offset + nop.length)]).toEqual(nop);
      expect(fixed).toBe(false);
    }
    const [watched] = sites.filter(({ name }) => name === "watched");
    using file = new ElfTables(program.path);
    const { address = 0, offset = 0 } = file.sections.find(({ name }) => name === ".probes") ?? {};
    expect(watched?.semaphoreOffset).toBe(offset);
    expect(symbolAddresses(program.path).get("skep_test_watched_semaphore")).toBe(address);
    expect(sites.filter(({ semaphoreOffset }) => semaphoreOffset !== undefined)).toEqual([watched]);
    expect(sites.find(({ name }) => name === "silent")?.arguments).toBe("");
  });

  it("knows a program that is loaded where it is linked for", () => {
    using other = new UsdtProgram("fixed");
    expect(usdtSites(other.path).map(({ fixed }) => fixed)).toEqual([true, true, true, true, true]);
  });

  it("corrects addresses by the base, which prelink moves and the notes do not know", () => {
    const path = changed((bytes, note) => {
      // The address and the base, as they would be had the file been linked elsewhere.
      for (const at of [note + 20, note + 28]) bytes.writeBigUInt64LE(bytes.readBigUInt64LE(at) + 0x100000n, at);
    });
    expect(usdtSites(path)).toEqual(usdtSites(program.path));
  });

  it.each([
    [
      "a note beyond its section",
      (bytes: Buffer, note: number) => bytes.writeUInt32LE(0xffff_fff0, note + 4),
      "ends beyond",
    ],
    ["a note that is too short", (bytes: Buffer, note: number) => bytes.writeUInt32LE(8, note + 4), "has no provider"],
    [
      "an address outside",
      (bytes: Buffer, note: number) => bytes.writeUInt32LE(0x7fff_ffff, note + 20),
      "outside of the",
    ],
    [
      "a semaphore outside",
      (bytes: Buffer, note: number) => bytes.writeUInt32LE(0x7fff_ffff, note + 36),
      "has a semaphore",
    ],
  ])("refuses %s", (_what, change, words) => {
    expect(() => usdtSites(changed(change))).toThrow(words);
  });

  it("passes over notes of others", () => {
    const count = usdtSites(program.path).length;
    expect(usdtSites(changed((bytes, note) => bytes.write("x", note + 12)))).toHaveLength(count - 1);
    expect(usdtSites(changed((bytes, note) => bytes.writeUInt32LE(4, note + 8)))).toHaveLength(count - 1);
    expect(usdtSites("/bin/true")).toEqual([]);
  });
});

describe("symbolAddresses", () => {
  it("knows variables and functions, but none by a name that means several", () => {
    const symbols = symbolAddresses(libc);
    using file = new ElfTables(libc);
    const environ = symbols.get("environ") ?? 0;
    expect(file.sections.some(({ address, size }) => environ >= address && environ < address + size)).toBe(true);
    expect(symbols.has("getppid")).toBe(true);
    const counts = new Map<string, Set<number>>();
    for (const { name, value } of file.symbols()) counts.set(name, (counts.get(name) ?? new Set()).add(value));
    for (const [name, values] of counts) expect(symbols.has(name)).toBe(values.size === 1);
  });
});
