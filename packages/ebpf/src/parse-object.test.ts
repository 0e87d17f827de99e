// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BtfKind } from "./btf/types.ts";
import { readElf } from "./elf/read-elf.ts";
import { MalformedError, SkepError } from "./errors.ts";
import { Instructions, PseudoLoad } from "./instruction.ts";
import { MapType } from "./map-type.ts";
import { BPF_F_MMAPABLE, BPF_F_RDONLY_PROG } from "./object/data-sections.ts";
import { parseObject } from "./parse-object.ts";
import { ProgramType } from "./program-type.ts";

function object(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../test-objects/${name}.bpf.o`, import.meta.url)));
}

/** A copy in which a string of .BTF is replaced by one of the same length. */
function renamed(name: string, from: string, to: string): Uint8Array {
  const bytes = object(name);
  const text = new TextDecoder("latin1").decode(bytes);
  const at = text.indexOf(
    `\0${from}\0`,
    readElf(bytes).sections.find((section) => section.name === ".BTF")!.bytes.byteOffset,
  );
  bytes.set(new TextEncoder().encode(to), at + 1);
  return bytes;
}

describe("parseObject: programs", () => {
  it("reads type, target and license", () => {
    const { programs, btf } = parseObject(object("minimal"));
    expect([...programs.keys()]).toEqual(["on_exit"]);
    expect(programs.get("on_exit")).toMatchObject({
      section: "?tp/sched/sched_process_exit",
      type: ProgramType.TRACEPOINT,
      target: { tracepoint: "sched:sched_process_exit" },
      license: "Dual BSD/GPL",
      kernelVersion: 0,
      mapReferences: [],
    });
    expect(btf?.typeCount).toBeGreaterThan(1);
  });

  it("gives a program every function that it calls, once, and no other", () => {
    const { programs, btf } = parseObject(object("subprograms"));
    const functions = (name: string) =>
      programs.get(name)?.functionInfo.map(({ typeId }) => btf?.typeById(typeId).name);
    expect([...programs.keys()]).toEqual(["first", "second", "plain"]);
    expect(functions("first")).toEqual(["first", "outer", "neighbour", "scale"]);
    expect(functions("second")).toEqual(["second", "visit", "scale", "concealed"]);
    expect(functions("plain")).toEqual(["plain"]);
    expect(programs.get("first")?.kernelVersion).toBe(0x060102);
  });

  it.each(["subprograms", "big-endian"])(
    "resolves calls and function addresses of %s to where functions begin",
    (name) => {
      const spec = parseObject(object(name));
      let calls = 0;
      for (const program of spec.programs.values()) {
        const starts = program.functionInfo.map(({ instruction }) => instruction);
        const code = new Instructions(program.instructions, spec.byteOrder);
        for (let slot = 0; slot < code.length; slot++) {
          const load = code.opcode(slot) === 0x18;
          if (load ? code.source(slot) === PseudoLoad.FUNC : code.opcode(slot) === 0x85 && code.source(slot) === 1) {
            expect(starts).toContain(slot + 1 + code.immediate(slot));
            calls++;
          }
          if (load) slot++;
        }
        expect(code.opcode(code.length - 1)).toBe(0x95);
        for (const { instruction } of program.lineInfo) expect(instruction).toBeLessThan(code.length);
      }
      expect(calls).toBe(name === "subprograms" ? 6 : 1);
    },
  );

  it("marks map references in the instructions", () => {
    const { programs, byteOrder } = parseObject(object("maps"));
    const program = programs.get("record")!;
    const code = new Instructions(program.instructions, byteOrder);
    expect(new Set(program.mapReferences.map(({ map }) => map))).toEqual(
      new Set(["counts", "hidden_map", "totals", "seen", "samples", "events"]),
    );
    for (const { instruction, valueOffset } of program.mapReferences) {
      expect(valueOffset).toBeUndefined();
      expect([code.opcode(instruction), code.source(instruction), code.immediate64(instruction)]).toEqual([
        0x18,
        PseudoLoad.MAP_FD,
        0n,
      ]);
    }
  });

  it("keeps CO-RE relocations in step with the instructions", () => {
    const { programs } = parseObject(object("core"));
    const accesses = programs.get("fields")?.coreRelocations.map(({ access }) => access);
    expect(accesses).toEqual(["0:0", "0:1:0", "0:2:2:1", "0:5", "0:6"]);
    expect(
      programs
        .get("questions")
        ?.coreRelocations.map(({ kind }) => kind)
        .sort((a, b) => a - b),
    ).toEqual([1, 2, 2, 6, 7, 8, 9, 10, 11]);
  });
});

describe("parseObject: bytes", () => {
  it("leaves them as they are, those of a Node Buffer too", () => {
    for (const name of ["extern", "variables", "core", "maps"]) {
      const bytes = readFileSync(new URL(`../test-objects/${name}.bpf.o`, import.meta.url));
      expect(Buffer.isBuffer(bytes)).toBe(true);
      parseObject(bytes);
      expect(bytes.equals(object(name)), name).toBe(true);
    }
  });
});

describe("parseObject: maps and variables", () => {
  it.each(["map-in-map", "map-in-map-big"])("reads what maps of maps and arrays of programs hold: %s", (name) => {
    const { maps, programs } = parseObject(object(name));
    expect(maps.get("outer")).toMatchObject({
      keySize: 4,
      valueSize: 4,
      inner: { name: "outer.inner", type: MapType.ARRAY, keySize: 4, valueSize: 4, maxEntries: 1 },
      contents: [
        { index: 0, kind: "map", name: "inner" },
        { index: 2, kind: "map", name: "hidden" },
      ],
    });
    expect(maps.get("jumps")).toMatchObject({
      valueSize: 4,
      contents: [{ index: 3, kind: "program", name: "target" }],
    });
    expect(maps.get("jumps")?.inner).toBeUndefined();
    expect([...programs.keys()].sort()).toEqual(["start", "target"]);
  });

  it("reads every field of a map", () => {
    const { maps, btf } = parseObject(object("maps"));
    expect([...maps.keys()]).toEqual(["hidden_map", "counts", "totals", "seen", "samples", "events"]);
    expect(maps.get("counts")).toMatchObject({
      type: MapType.HASH,
      keySize: 8,
      valueSize: 8,
      maxEntries: 1024,
      flags: 0,
    });
    expect(btf?.typeById(maps.get("counts")?.keyTypeId ?? 0).name).toBe("key");
    expect(maps.get("totals")).toMatchObject({ keySize: 4, valueSize: 24, keyTypeId: 0, pinning: "by-name" });
    expect(maps.get("seen")).toMatchObject({ keySize: 0, valueSize: 4, flags: 64, extra: 3n, pinning: "none" });
  });

  it("keeps the type of a stream's records apart from the sizes that the kernel wants", () => {
    const { maps, btf } = parseObject(object("maps"));
    expect(maps.get("events")).toMatchObject({ keySize: 0, valueSize: 0, maxEntries: 65536 });
    expect(maps.get("samples")).toMatchObject({ keySize: 4, valueSize: 4, maxEntries: 0 });
    for (const name of ["events", "samples"]) {
      expect(btf?.typeById(maps.get(name)?.valueTypeId ?? 0)).toMatchObject({ name: "event", size: 24 });
    }
  });

  it("refuses a map field that it does not know", () => {
    expect(() => parseObject(renamed("maps", "map_extra", "map_extrq"))).toThrow(
      'map "seen": unknown field "map_extrq"',
    );
  });

  it("makes a map of each data section", () => {
    const { maps } = parseObject(object("variables"));
    expect([...maps.keys()]).toEqual([".rodata", ".data", ".data.settings", ".bss"]);
    expect(maps.get(".rodata")).toMatchObject({
      type: MapType.ARRAY,
      keySize: 4,
      maxEntries: 1,
      flags: BPF_F_RDONLY_PROG | BPF_F_MMAPABLE,
      data: { readOnly: true },
    });
    const bss = maps.get(".bss");
    expect(bss?.flags).toBe(BPF_F_MMAPABLE);
    expect(bss?.data?.contents).toEqual(new Uint8Array(bss?.valueSize ?? -1));
    const settings = maps.get(".data.settings")?.data?.contents;
    expect(settings).toEqual(Uint8Array.of(7, 0));
  });

  it("lists global variables with their types, and no static ones", () => {
    const { variables, maps, btf } = parseObject(object("variables"));
    expect([...variables.keys()].sort()).toEqual(
      ["balance", "counters", "limits", "minimum_ns", "settings", "verbose", "wanted_comm"].sort(),
    );
    const minimum = variables.get("minimum_ns")!;
    expect(minimum).toMatchObject({ map: ".rodata", size: 4, readOnly: true });
    const contents = maps.get(".rodata")!.data!.contents;
    expect(new DataView(contents.buffer).getUint32(minimum.offset, true)).toBe(1000);
    expect(btf?.typeById(btf.resolve(variables.get("limits")!.typeId)).name).toBe("limits");
    expect(variables.get("balance")).toMatchObject({ map: ".data", readOnly: false });
  });

  it("refers to variables by their offset in the section", () => {
    const { programs, variables } = parseObject(object("variables"));
    const offsets = programs.get("on_exec")!.mapReferences.filter(({ map }) => map === ".bss");
    expect(offsets.map(({ valueOffset }) => valueOffset)).toContain(variables.get("counters")!.offset);
  });
});

describe("parseObject: BTF", () => {
  it.each(["variables", "maps", "big-endian"])("fills in sizes and offsets of data sections in %s", (name) => {
    const bytes = object(name);
    const before = bytes.slice();
    const { btf, variables, maps } = parseObject(bytes);
    expect(bytes).toEqual(before);
    const elf = readElf(bytes);
    let sections = 0;
    for (let id = 1; id < btf!.typeCount; id++) {
      const section = btf!.typeById(id);
      if (section.kind !== BtfKind.DATASEC) continue;
      sections++;
      expect(section.size).toBe(elf.sections.find((candidate) => candidate.name === section.name)?.size);
      let end = 0;
      for (const { type, offset, size } of section.variables) {
        expect(offset).toBeGreaterThanOrEqual(end);
        end = offset + size;
        const variable = variables.get(btf!.typeById(type).name);
        if (variable?.map === section.name) expect(offset).toBe(variable.offset);
      }
      expect(end).toBeLessThanOrEqual(section.size);
      if (maps.has(section.name)) expect(maps.get(section.name)?.valueTypeId).toBe(id);
    }
    expect(sections).toBeGreaterThan(0);
  });

  it("makes hidden functions static, as the verifier is to see them", () => {
    const { btf } = parseObject(object("subprograms"));
    const linkage = (name: string) =>
      btf
        ?.idsByName(name)
        .map((id) => btf.typeById(id))
        .find(({ kind }) => kind === BtfKind.FUNC);
    expect(linkage("concealed")).toMatchObject({ linkage: "static" });
    expect(linkage("outer")).toMatchObject({ linkage: "global" });
  });

  it("parses an object without BTF, unless it declares maps in it", () => {
    const spec = parseObject(renamedSection("variables", ".BTF", ".XTF"));
    expect(spec.btf).toBeUndefined();
    expect(spec.programs.get("on_exec")).toMatchObject({ functionInfo: [], lineInfo: [], coreRelocations: [] });
    expect(spec.variables.get("balance")?.typeId).toBe(0);
    expect(() => parseObject(renamedSection("maps", ".BTF", ".XTF"))).toThrow("the object has none (compile with -g)");
  });
});

/** A copy in which a section, whose name may be the end of another's, has another name of the same length. */
function renamedSection(name: string, from: string, to: string): Uint8Array {
  const bytes = object(name);
  const names = readElf(bytes).sections.find((section) => section.name === ".strtab")!;
  const at = new TextDecoder("latin1").decode(names.bytes).indexOf(`${from}\0`);
  names.bytes.set(new TextEncoder().encode(to), at);
  return bytes;
}

describe("parseObject: input that is not to be trusted", () => {
  const all = ["minimal", "maps", "subprograms", "variables", "core", "big-endian", "isa", "extern", "legacy"];

  it.each(all)("gives equal results for equal bytes of %s", (name) => {
    const [a, b] = [parseObject(object(name)), parseObject(object(name))];
    expect([...a.programs.values()]).toEqual([...b.programs.values()]);
    expect([...a.variables.values()]).toEqual([...b.variables.values()]);
    expect([...a.maps].map(([key, map]) => [key, { ...map, data: map.data?.contents }])).toEqual(
      [...b.maps].map(([key, map]) => [key, { ...map, data: map.data?.contents }]),
    );
    expect(a.btf?.bytes).toEqual(b.btf?.bytes);
  });

  it.each(all)("parses or refuses every truncation of %s", (name) => {
    const bytes = object(name);
    for (let length = 0; length < bytes.length; length++) {
      try {
        parseObject(bytes.subarray(0, length));
      } catch (error) {
        if (!(error instanceof SkepError)) throw new Error(`truncated to ${length} bytes`, { cause: error });
      }
    }
  });

  it("parses an object that does not begin at the start of its buffer", () => {
    const bytes = object("maps");
    const buffer = new Uint8Array(bytes.length + 3);
    buffer.set(bytes, 3);
    expect([...parseObject(buffer.subarray(3)).maps.keys()]).toEqual([...parseObject(bytes).maps.keys()]);
  });

  it("refuses a call into the middle of a function", () => {
    const bytes = object("subprograms");
    const text = readElf(bytes).sections.find(({ name }) => name === ".text")!;
    const code = new Instructions(text.bytes, "little");
    for (let slot = 0; slot < code.length; slot++) {
      if (code.opcode(slot) === 0x85 && code.source(slot) === 1) code.setImmediate(slot, code.immediate(slot) + 1);
    }
    expect(() => parseObject(bytes)).toThrow(MalformedError);
    expect(() => parseObject(bytes)).toThrow(
      /program "first", instruction \d+: a call to slot \d+ of ".text", where no function begins/,
    );
  });
});
