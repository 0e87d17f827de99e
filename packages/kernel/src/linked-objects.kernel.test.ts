// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CollectionSpec, disassemble, type ExternSpec, type ProgramSpec, parseObject } from "@skep/ebpf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadObject } from "../test-objects/load-object.ts";

const sources = ["extern", "variables", "core"].map((name) =>
  fileURLToPath(new URL(`../../ebpf/test-objects/${name}.bpf.o`, import.meta.url)),
);

let folder = "";
let linked: CollectionSpec;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "skep-linked-"));
  const output = join(folder, "linked.o");
  execFileSync("bpftool", ["gen", "object", output, ...sources]);
  linked = parseObject(new Uint8Array(readFileSync(output)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a program is, wherever its variables and types have come to lie. */
function meaning(spec: CollectionSpec, program: ProgramSpec): unknown {
  const { btf, byteOrder } = spec;
  const variableAt = (map: string, offset: number | undefined): string => {
    const found = [...spec.variables.values()].find(
      (variable) => variable.map === map && offset !== undefined && offset === variable.offset,
    );
    return found?.name ?? map;
  };
  return {
    section: program.section,
    type: program.type,
    text: disassemble({ ...program, mapReferences: [] }, { btf, lines: true, byteOrder }).replace(
      // The offset in the value, which linking changes.
      /(r\d+ = )0x[0-9a-f]+( ll)?/g,
      "$1…",
    ),
    maps: program.mapReferences.map(({ instruction, map, valueOffset }) => [instruction, variableAt(map, valueOffset)]),
    externs: program.externReferences,
    core: program.coreRelocations.map(({ typeId, ...rest }) => ({ ...rest, type: btf?.typeById(typeId).name })),
    functions: program.functionInfo.map(({ instruction, typeId }) => [instruction, btf?.typeById(typeId).name]),
    lines: program.lineInfo.map(({ instruction, lineOffset, lineColumn }) => [
      instruction,
      btf?.string(lineOffset),
      lineColumn,
    ]),
  };
}

function byName(externs: Iterable<ExternSpec>): unknown[] {
  const known = [...externs].map(({ name, kind, weak }) => ({ name, kind, weak }));
  return known.sort((a, b) => (a.name < b.name ? -1 : 1));
}

describe("an object that bpftool linked", () => {
  const parts = sources.map((path) => parseObject(new Uint8Array(readFileSync(path))));

  it("has the programs, maps, variables and externs of its parts", () => {
    const names = (get: (spec: CollectionSpec) => Iterable<string>): string[] =>
      [...new Set(parts.flatMap((part) => [...get(part)]))].sort();
    expect([...linked.programs.keys()].sort()).toEqual(names(({ programs }) => programs.keys()));
    expect([...linked.maps.keys()].sort()).toEqual(names(({ maps }) => maps.keys()));
    expect([...linked.variables.keys()].sort()).toEqual(names(({ variables }) => variables.keys()));
    expect(byName(linked.externs.values())).toEqual(byName(parts.flatMap(({ externs }) => [...externs.values()])));
    for (const part of parts) {
      for (const [name, program] of part.programs) {
        const there = linked.programs.get(name);
        if (there === undefined) throw new Error(`no program ${name}`);
        expect(meaning(linked, there), name).toEqual(meaning(part, program));
      }
      for (const [name, { contents, type }] of part.maps)
        expect(linked.maps.get(name)).toMatchObject({ type, ...(contents && { contents }) });
      for (const [name, variable] of part.variables) {
        const data = (spec: CollectionSpec): Uint8Array | undefined => {
          const { map = "", offset = 0, size = 0 } = spec.variables.get(name) ?? {};
          return spec.maps.get(map)?.data?.contents.slice(offset, offset + size);
        };
        expect(data(linked), name).toEqual(data(part));
        expect(linked.variables.get(name)).toMatchObject({ map: variable.map, size: variable.size });
      }
    }
  });

  it("runs", () => {
    const asked = { CONFIG_BPF: true, CONFIG_BPF_SYSCALL: "TRI_YES", CONFIG_NET: 121, CONFIG_HZ: 1n };
    const variables = { ...asked, CONFIG_CC_VERSION_TEXT: "", LINUX_KERNEL_VERSION: 5 };
    using loaded = loadObject("linked", { programs: ["kconfig", "symbols"], variables }, linked);
    expect(loaded.run("kconfig")).toBe(5);
    expect(loaded.collection.variable("LINUX_KERNEL_VERSION").get()).toBe(5);
    expect(loaded.run("symbols")).toBeGreaterThan(0);
  });
});
