// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { MalformedError, NotSupportedError } from "../errors.ts";
import { readElf } from "./read-elf.ts";

function object(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../test-objects/${name}.bpf.o`, import.meta.url)));
}

/** A copy of an object with little-endian bytes written over it. */
function patched(name: string, offset: number, ...values: number[]): Uint8Array {
  const bytes = object(name);
  bytes.set(values, offset);
  return bytes;
}

function sectionHeader(bytes: Uint8Array, name: string): number {
  const table = new DataView(bytes.buffer).getUint32(40, true);
  const section = readElf(bytes).sections.find((candidate) => candidate.name === name);
  return table + (section?.index ?? Number.NaN) * 64;
}

describe("readElf", () => {
  it.each(["subprograms", "big-endian"])("reads sections, symbols and relocations of %s", (name) => {
    const elf = readElf(object(name));
    expect(elf.byteOrder).toBe(name === "big-endian" ? "big" : "little");
    const code = elf.sections.find((section) => section.name === ".text");
    expect(code?.bytes.length).toBe(code?.size);
    const relocations = elf.relocationsOf(code?.index ?? 0);
    expect(relocations.length).toBeGreaterThan(0);
    for (const relocation of relocations) expect(relocation.symbol.name).not.toBe("");
    expect(elf.symbols.find((symbol) => symbol.name === "LICENSE")).toMatchObject({ type: 1, binding: 1, size: 4 });
  });

  it("gives section symbols the name of their section", () => {
    const elf = readElf(object("subprograms"));
    expect(elf.symbols.some((symbol) => symbol.type === 3 && symbol.name === ".text")).toBe(true);
  });

  it.each([
    ["what is not ELF", 0, [0x7e], MalformedError, "ELF header at byte 0: this is not an ELF file"],
    ["32-bit objects", 4, [1], NotSupportedError, "ELF class 1"],
    ["an unknown byte order", 5, [3], MalformedError, "ELF header at byte 5"],
    ["executables", 16, [2, 0], NotSupportedError, "type 2"],
    ["objects for another machine", 18, [62, 0], NotSupportedError, "machine 62"],
    [
      "section headers of another size",
      58,
      [40, 0],
      MalformedError,
      "ELF header at byte 58: section headers of 40 bytes",
    ],
    ["a section header table past the end", 40, [0, 0, 0, 0x7f], MalformedError, "section header table"],
    [
      "a section header table nowhere",
      40,
      [0, 0, 0, 0, 0, 0, 0, 0],
      MalformedError,
      "there is no section header table",
    ],
    ["names in a section that does not exist", 62, [0xfe, 0x00], MalformedError, "the names are in section 254"],
  ])("refuses %s", (_, offset, values, type, message) => {
    const read = () => readElf(patched("minimal", offset, ...values));
    expect(read).toThrow(type);
    expect(read).toThrow(message);
  });

  it("accepts machine 0, which old compilers wrote", () => {
    expect(readElf(patched("minimal", 18, 0, 0)).sections.length).toBeGreaterThan(1);
  });

  it("refuses a section that ends past the file", () => {
    const bytes = object("minimal");
    const header = sectionHeader(bytes, "license");
    new DataView(bytes.buffer).setBigUint64(header + 32, 1n << 40n, true);
    expect(() => readElf(bytes)).toThrow(/section header table at byte \d+: a section of 1099511627776 bytes/);
  });

  it("refuses sections that share bytes", () => {
    const bytes = object("minimal");
    const view = new DataView(bytes.buffer);
    const license = sectionHeader(bytes, "license");
    view.setBigUint64(license + 24, view.getBigUint64(sectionHeader(bytes, ".BTF") + 24, true), true);
    expect(() => readElf(bytes)).toThrow('sections "license" and ".BTF" overlap');
  });

  it("refuses a symbol that ends past its section", () => {
    const bytes = object("minimal");
    const elf = readElf(bytes);
    const table = elf.sections.find((section) => section.name === ".symtab")!;
    const symbol = elf.symbols.find((candidate) => candidate.name === "on_exit")!;
    new DataView(table.bytes.buffer, table.bytes.byteOffset).setUint32(symbol.index * 24 + 16, 4096, true);
    expect(() => readElf(bytes)).toThrow(/symbol "on_exit" takes bytes 0 to 4096 of section/);
  });

  it("refuses a relocation to a symbol that does not exist", () => {
    const bytes = object("maps");
    const elf = readElf(bytes);
    const table = elf.sections.find((section) => section.name.startsWith(".reltp"))!;
    new DataView(table.bytes.buffer, table.bytes.byteOffset).setUint32(12, 9999, true);
    expect(() => readElf(bytes).relocationsOf(table.info)).toThrow("symbol 9999 does not exist");
  });

  it("refuses every truncation of the header", () => {
    const bytes = object("minimal");
    for (let length = 0; length < 64; length++) {
      expect(() => readElf(bytes.subarray(0, length))).toThrow(MalformedError);
    }
  });
});
