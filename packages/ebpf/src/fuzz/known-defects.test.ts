// SPDX-License-Identifier: Apache-2.0

// Inputs that other loaders are known to have crashed on.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readBtf, readSplitBtf } from "../btf/read-btf.ts";
import { BtfKind } from "../btf/types.ts";
import { applyCoreRelocations } from "../core/apply-core-relocations.ts";
import { disassemble } from "../disassemble.ts";
import type { ElfSection } from "../elf/elf-file.ts";
import { readElf } from "../elf/read-elf.ts";
import { MalformedError, SkepError } from "../errors.ts";
import { linkObjects } from "../linker/link-objects.ts";
import { parseObject } from "../parse-object.ts";

function object(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../test-objects/${name}.bpf.o`, import.meta.url)));
}

/** A section of a copy of an object, whose bytes may be written to, and its little-endian view. */
function open(name: string, section: string): { bytes: Uint8Array; view: DataView; found: ElfSection } {
  const bytes = object(name);
  const found = readElf(bytes).sections.find((candidate) => candidate.name === section);
  if (found === undefined) throw new Error(`no section ${section}`);
  return { bytes, found, view: new DataView(found.bytes.buffer, found.bytes.byteOffset, found.bytes.length) };
}

/** Parsing, showing all instructions, relocating, linking: each works or is refused, and gives the refusals. */
function exercise(bytes: Uint8Array): SkepError[] {
  const refusals: SkepError[] = [];
  const attempt = (action: () => void): void => {
    try {
      action();
    } catch (error) {
      if (!(error instanceof SkepError)) throw error;
      refusals.push(error);
    }
  };
  attempt(() => {
    const spec = parseObject(bytes);
    for (const program of spec.programs.values()) {
      attempt(() => void disassemble(program, { btf: spec.btf, lines: true, byteOrder: spec.byteOrder }));
      const { btf } = spec;
      if (btf !== undefined) attempt(() => void applyCoreRelocations(program, btf, btf));
    }
  });
  attempt(() => void linkObjects([{ name: "broken", bytes }]));
  return refusals;
}

describe("string offsets at the very end of the strings", () => {
  const strings = readBtf(open("core", ".BTF").found.bytes);
  const end = new DataView(strings.bytes.buffer, strings.bytes.byteOffset).getUint32(20, true);

  it("are refused as a type's name", () => {
    const { bytes, view } = open("core", ".BTF");
    view.setUint32(view.getUint32(4, true), end, true);
    for (const refusal of exercise(bytes)) expect(refusal).toBeInstanceOf(MalformedError);
    expect(exercise(bytes).length).toBe(2);
  });

  // .BTF.ext: where func_info and line_info begin after the header; each has a record size before its first section.
  const extension = open("core", ".BTF.ext").view;
  const header = extension.getUint32(4, true);
  const functions = header + extension.getUint32(8, true) + 4;
  const lines = header + extension.getUint32(16, true) + 4;
  it.each([
    ["the section of func_info", functions],
    ["the section of line_info", lines],
    ["the file of a line", lines + 12],
    ["a line", lines + 16],
  ])("are refused as %s", (_, at) => {
    const { bytes, view } = open("core", ".BTF.ext");
    view.setUint32(at, end, true);
    const refusals = exercise(bytes);
    expect(refusals.length).toBeGreaterThan(0);
    for (const refusal of refusals) expect(refusal).toBeInstanceOf(MalformedError);
  });
});

describe("BTF headers", () => {
  it("that claim more bytes than there are, are refused", () => {
    const { view, found } = open("core", ".BTF");
    for (const size of [found.bytes.length + 1, 0x30303030, 0xffff_ffff]) {
      view.setUint32(4, size, true);
      expect(() => readBtf(found.bytes)).toThrow(MalformedError);
    }
    expect(() => readBtf(found.bytes.subarray(0, 24))).toThrow(MalformedError);
  });

  it("with nothing behind them are a module without types, and no reason to refuse a program", () => {
    const { btf, programs } = parseObject(object("core"));
    if (btf === undefined) throw new Error("no BTF");
    const empty = new Uint8Array(24);
    empty.set([0x9f, 0xeb, 1, 0, 24]);
    const module = readSplitBtf(empty, btf);
    expect(module.typeCount).toBe(btf.typeCount);
    expect(() => readBtf(empty)).toThrow(MalformedError);
    for (const program of programs.values()) {
      expect(applyCoreRelocations(program, btf, btf, [module])).toEqual(applyCoreRelocations(program, btf, btf));
    }
  });
});

describe("struct_ops", () => {
  it("whose variable lies past the section, also by an overflow of 32 bits, is refused", () => {
    for (const place of [0x1000, 0x7fff_fff8, 0xffff_fff8]) {
      const { bytes, view, found } = open("struct-ops", ".BTF");
      const btf = readBtf(found.bytes);
      const types = view.getUint32(4, true) + view.getUint32(8, true);
      let at = types;
      let changed = 0;
      for (let id = 1; id < btf.typeCount; id++) {
        const type = btf.typeById(id);
        const size = bytesOf(type);
        if (type.kind === BtfKind.DATASEC && type.name.startsWith(".struct_ops")) {
          type.variables.forEach((_, i) => {
            view.setUint32(at + 12 + i * 12 + 4, place, true);
            changed++;
          });
        }
        at += size;
      }
      expect(changed).toBeGreaterThan(0);
      exercise(bytes);
      const symbols = open("struct-ops", ".symtab");
      const elf = readElf(symbols.bytes);
      const home = elf.sections.find(({ name }) => name.startsWith(".struct_ops"));
      for (const { index, section, type } of elf.symbols) {
        if (section === home?.index && type === 1) symbols.view.setUint32(index * 24 + 8, place, true);
      }
      expect(exercise(symbols.bytes).length).toBeGreaterThan(0);
    }
  });
});

/** Bytes that a type takes in the type section. */
function bytesOf(type: ReturnType<ReturnType<typeof readBtf>["typeById"]>): number {
  if ("members" in type) return 12 + type.members.length * 12;
  if ("values" in type) return 12 + type.values.length * (type.kind === BtfKind.ENUM ? 8 : 12);
  if ("parameters" in type) return 12 + type.parameters.length * 8;
  if ("variables" in type) return 12 + type.variables.length * 12;
  if (type.kind === BtfKind.ARRAY) return 24;
  return type.kind === BtfKind.INT || type.kind === BtfKind.VAR || type.kind === BtfKind.DECL_TAG ? 16 : 12;
}
