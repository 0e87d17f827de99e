// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import type { Btf } from "../btf/btf.ts";
import { BtfBuilder } from "../btf/btf-builder.ts";
import { readBtf } from "../btf/read-btf.ts";
import { type BtfDataSection, BtfKind } from "../btf/types.ts";
import { writeBtfExtension } from "../btf/write-btf-ext.ts";
import type { CollectionSpec } from "../collection-spec.ts";
import { disassemble } from "../disassemble.ts";
import { SectionFlag, SymbolBinding, SymbolVisibility } from "../elf/elf-file.ts";
import { readElf } from "../elf/read-elf.ts";
import { type NewSection, writeElf } from "../elf/write-elf.ts";
import { InvalidValueError, MalformedError, NotSupportedError, ObjectConflictError } from "../errors.ts";
import { Instructions } from "../instruction.ts";
import { parseObject } from "../parse-object.ts";
import { linkObjects } from "./link-objects.ts";
import { arrayMap, int, type TestObject, type TestSymbol, takes, testObject } from "./object.test-kit.ts";
import { type SamePairs, typeDifference } from "./type-difference.ts";

const { GLOBAL, LOCAL, WEAK } = SymbolBinding;

function compiled(name: string): { name: string; bytes: Uint8Array } {
  return { name, bytes: new Uint8Array(readFileSync(new URL(`../../test-objects/${name}.bpf.o`, import.meta.url))) };
}

/** Links made-up objects, named a.o, b.o and so on. */
function link(...objects: readonly TestObject[]): Uint8Array {
  return linkObjects(objects.map((object, i) => ({ name: `${"abc"[i]}.o`, bytes: testObject(object) })));
}

const symbols = (...list: TestSymbol[]): TestObject => ({ symbols: list });
const symbolOf = (bytes: Uint8Array, name: string) => readElf(bytes).symbols.filter((symbol) => symbol.name === name);
const contentsOf = (bytes: Uint8Array, name: string) =>
  readElf(bytes).sections.find((found) => found.name === name)?.bytes;

function btfOf(bytes: Uint8Array): Btf {
  return readBtf(contentsOf(bytes, ".BTF") ?? new Uint8Array());
}

/** What a data section's BTF says, with the variables by name. */
function dataSection(bytes: Uint8Array, name: string) {
  const btf = btfOf(bytes);
  const types = Array.from({ length: btf.typeCount }, (_, id) => btf.typeById(id));
  const found = types.filter((type): type is BtfDataSection => type.kind === BtfKind.DATASEC && type.name === name);
  expect(found.length).toBe(1);
  return found[0]?.variables.map(({ type, offset, size }) => [btf.typeById(type).name, offset, size]);
}

/** All that an object's programs are, without the ids of types, which may differ. */
function described({ programs, maps, variables, btf, byteOrder }: CollectionSpec) {
  const coreOf = (list: readonly { typeId: number; access: string; kind: number; instruction: number }[]) =>
    list.map(({ typeId, ...rest }) => ({ ...rest, name: btf?.typeById(typeId).name }));
  return {
    programs: new Map(
      [...programs].map(([name, program]) => [
        name,
        {
          ...{ section: program.section, type: program.type, license: program.license },
          ...{ instructions: program.instructions, maps: program.mapReferences },
          text: disassemble(program, { btf, lines: true, byteOrder }),
          core: coreOf(program.coreRelocations),
          functions: program.functionInfo.map(({ instruction, typeId }) => [instruction, btf?.typeById(typeId).name]),
        },
      ]),
    ),
    maps: new Map(
      [...maps].map(([name, { keyTypeId, valueTypeId, data, inner, structOps: ops, ...map }]) => [
        name,
        { ...map, data: data?.contents, ops: [ops?.typeName, ops?.link, ops?.contents, ops?.programs] },
      ]),
    ),
    variables: new Map([...variables].map(([name, { typeId, ...variable }]) => [name, variable])),
  };
}

describe("linkObjects", () => {
  it("resolves functions, variables and maps of two compiled objects, the same bytes each time", () => {
    const inputs = [compiled("join-one"), compiled("join-two")];
    const bytes = linkObjects(inputs);
    expect(linkObjects([compiled("join-one"), compiled("join-two")])).toEqual(bytes);
    const spec = parseObject(bytes);
    expect([...spec.programs.keys()].sort()).toEqual(["count", "sum", "sum_there"]);
    expect([...spec.maps.keys()].sort()).toEqual([".bss", ".data", ".rodata", "counts"]);
    expect([...spec.variables.keys()].sort()).toEqual(["limit", "own", "shared", "table", "weak_here", "zeroes"]);
    const data = spec.maps.get(".data")?.data?.contents ?? new Uint8Array();
    const word = (name: string) =>
      new DataView(data.buffer, data.byteOffset).getInt32(spec.variables.get(name)?.offset ?? -1, true);
    expect([word("own"), word("shared"), word("table"), word("weak_here")]).toEqual([7, 20, 1, 50_000]);
    const sum = spec.programs.get("sum");
    const names = sum?.functionInfo.map(({ typeId }) => spec.btf?.typeById(typeId).name);
    // Each of the static functions of one name, and of the weak ones the one that counts.
    expect(names?.filter((name) => name === "twist").length).toBe(2);
    expect(names?.filter((name) => name === "chosen" || name === "first_counts").length).toBe(2);
    expect(spec.programs.get("sum_there")?.coreRelocations.length).toBe(1);
    expect(spec.btf?.idsByName("packet").length).toBe(1);
    expect(readElf(bytes).symbols.every(({ section, index }) => section !== 0 || index === 0)).toBe(true);
  });

  it.each(["core", "maps", "map-in-map", "variables", "subprograms", "kernel-core", "isa", "big-endian"])(
    "leaves %s.bpf.o as it is when it is alone",
    (name) => {
      const object = compiled(name);
      expect(described(parseObject(linkObjects([object])))).toEqual(described(parseObject(object.bytes)));
    },
  );

  const SHIFT = 16;
  /** Something of every section that objects refer into, so that what comes behind it moves by 16 bytes. */
  const front = (byteOrder: "little" | "big", license: string): Uint8Array =>
    testObject({
      ...{ byteOrder, license },
      alignment: SHIFT,
      symbols: [".text", ".data", ".bss", ".rodata"].flatMap((section) =>
        [0, 1].map((i) => ({ name: `front${section}${i}`, section, type: section === ".text" ? takes(4) : int })),
      ),
    });

  it.each([
    ...["core", "maps", "map-in-map", "variables", "subprograms", "kernel-core", "isa", "extern", "struct-ops"],
    ...["twin", "twin-big", "big-endian"],
  ])("moves everything that %s.bpf.o refers to when another object comes first", (name) => {
    const object = compiled(name);
    const alone = parseObject(object.bytes);
    const license = [...alone.programs.values()][0]?.license ?? "GPL";
    const before = { name: "front", bytes: front(alone.byteOrder, license) };
    const behind = parseObject(linkObjects([before, object]));
    const moved = described(behind);
    const expected = described(alone);
    for (const [program, { maps, instructions, ...rest }] of expected.programs) {
      const found = moved.programs.get(program);
      const code = new Instructions(found?.instructions ?? new Uint8Array(), alone.byteOrder);
      const references = found?.maps.map((reference) => {
        const { map, instruction, valueOffset } = reference;
        if (valueOffset === undefined || ![".data", ".bss", ".rodata"].includes(map)) return reference;
        code.setImmediate(instruction + 1, valueOffset - SHIFT);
        return { ...reference, valueOffset: valueOffset - SHIFT };
      });
      expect(references).toEqual(maps);
      expect(code.bytes).toEqual(instructions);
      // The text holds the offsets that have moved.
      expect({ ...found, text: "", maps: [], instructions: [] }).toEqual({
        ...{ ...rest, text: "", maps: [], instructions: [] },
      });
    }
    for (const [map, { data, valueSize, ...rest }] of expected.maps) {
      const { data: contents, valueSize: size, ...others } = moved.maps.get(map) ?? {};
      const shift = [".data", ".bss", ".rodata"].includes(map) ? SHIFT : 0;
      expect(contents?.subarray(shift)).toEqual(data);
      expect(size).toBe(valueSize + shift);
      expect(others).toEqual(rest);
    }
    for (const [variable, { offset, map }] of expected.variables) {
      const shift = [".data", ".bss", ".rodata"].includes(map) ? SHIFT : 0;
      expect(moved.variables.get(variable)?.offset, variable).toBe(offset + shift);
    }
  });

  it("links what was linked before", () => {
    const both = linkObjects([compiled("join-one"), compiled("join-two")]);
    expect(described(parseObject(linkObjects([{ name: "both", bytes: both }])))).toEqual(described(parseObject(both)));
  });

  it("leaves out debugging information, and keeps externs that no object defines", () => {
    const bytes = linkObjects([compiled("extern"), compiled("join-two")]);
    const elf = readElf(bytes);
    for (const { name, flags } of elf.sections.slice(1)) {
      expect((flags & SectionFlag.ALLOC) !== 0 || /^\.(BTF|BTF\.ext|rel.*|symtab|strtab)$/.test(name), name).toBe(true);
    }
    expect(symbolOf(bytes, "LINUX_KERNEL_VERSION")[0]).toMatchObject({ section: 0 });
    expect(dataSection(bytes, ".kconfig")?.map(([name]) => name)).toContain("LINUX_KERNEL_VERSION");
  });

  it("appends sections at their alignment and fills in where variables lie", () => {
    const bytes = link(
      { ...symbols({ name: "a", section: ".data", type: int, value: 1 }), alignment: 16 },
      {
        ...symbols({ name: "b", section: ".data", type: int, value: 2 }, { name: "c", section: ".data", type: int }),
        alignment: 16,
      },
    );
    expect(symbolOf(bytes, "b")[0]).toMatchObject({ value: 16, size: 8 });
    expect(contentsOf(bytes, ".data")?.[16]).toBe(2);
    expect(dataSection(bytes, ".data")).toEqual([
      ["a", 0, 8],
      ["b", 16, 8],
      ["c", 24, 8],
    ]);
  });

  it("appends zeroes, which take no bytes of the file", () => {
    const bytes = link(
      symbols({ name: "a", section: ".bss", type: int }),
      symbols({ name: "b", section: ".bss", type: int }),
    );
    expect(readElf(bytes).sections.find(({ name }) => name === ".bss")).toMatchObject({
      type: 8,
      size: 16,
      bytes: new Uint8Array(),
    });
    expect(symbolOf(bytes, "b")[0]).toMatchObject({ value: 8 });
    expect(dataSection(bytes, ".bss")).toEqual([
      ["a", 0, 8],
      ["b", 8, 8],
    ]);
  });

  it("keeps static variables of equal names apart", () => {
    const own = symbols({ name: "same", section: ".data", type: int, binding: LOCAL });
    const bytes = link(own, own);
    expect(symbolOf(bytes, "same").map(({ value }) => value)).toEqual([0, 8]);
    expect(dataSection(bytes, ".data")).toEqual([
      ["same", 0, 8],
      ["same", 8, 8],
    ]);
  });

  it("describes bytes that are the same everywhere once, whatever the objects call them", () => {
    const version = (name: string, binding: number): TestObject =>
      symbols({ name, section: "version", type: int, binding });
    const described = [["one", 0, 8]];
    expect(dataSection(link(version("one", GLOBAL), version("two", GLOBAL)), "version")).toEqual(described);
    expect(dataSection(link(version("one", LOCAL), version("one", LOCAL)), "version")).toEqual(described);
    expect(dataSection(link(version("one", GLOBAL), version("one", GLOBAL)), "version")).toEqual(described);
    expect(dataSection(link(version("one", WEAK), version("one", GLOBAL)), "version")).toEqual(described);
    const bytes = link(version("one", GLOBAL), version("two", GLOBAL));
    expect(symbolOf(bytes, "two").map(({ value }) => value)).toEqual([0]);
  });

  it.each([
    ["a strong definition after a weak one", [WEAK, GLOBAL], 2],
    ["a strong definition before a weak one", [GLOBAL, WEAK], 1],
    ["the first of weak ones", [WEAK, WEAK], 1],
  ])("takes %s", (_, bindings, value) => {
    const objects = bindings.map((binding, i) =>
      symbols({ name: "v", section: ".data", type: int, binding, value: i + 1 }),
    );
    const bytes = link(...objects);
    const [symbol] = symbolOf(bytes, "v");
    expect(contentsOf(bytes, ".data")?.[symbol?.value ?? -1]).toBe(value);
    expect(dataSection(bytes, ".data")).toEqual([["v", symbol?.value, 8]]);
  });

  it("takes the narrowest visibility, and an extern as weak when it is so everywhere", () => {
    const hidden = symbols({
      name: "f",
      type: takes(4),
      from: ".ksyms",
      visibility: SymbolVisibility.HIDDEN,
      binding: WEAK,
    });
    const plain = symbols({ name: "f", type: takes(4), from: ".ksyms", binding: WEAK });
    expect(symbolOf(link(hidden, plain), "f")).toMatchObject([{ visibility: SymbolVisibility.HIDDEN, binding: WEAK }]);
    const strong = symbols({ name: "f", type: takes(4), from: ".ksyms" });
    expect(symbolOf(link(plain, strong), "f")).toMatchObject([{ visibility: 0, binding: GLOBAL, section: 0 }]);
    expect(dataSection(link(plain, strong), ".ksyms")).toEqual([["f", 0, 4]]);
  });

  const refusals: [string, readonly TestObject[], string][] = [
    [
      "two strong definitions",
      [symbols({ name: "v", section: ".data", type: int }), symbols({ name: "v", section: ".data", type: int })],
      '"v": it is defined in a.o and in b.o',
    ],
    ["licenses that differ", [{ license: "GPL" }, { license: "MIT" }], 'license: it is "GPL" in a.o, "MIT" in b.o'],
    [
      "an extern of another type",
      [symbols({ name: "v", type: (builder) => int(builder, 8) }), symbols({ name: "v", section: ".data", type: int })],
      '"v": it is long in a.o, int in b.o',
    ],
    [
      "a function with another parameter",
      [
        symbols({ name: "f", section: ".text", type: takes(4, 8) }),
        symbols({ name: "f", from: ".ksyms", type: takes(4, 4) }),
      ],
      '"f": it is in section ".text" in a.o, ".ksyms" in b.o',
    ],
    [
      "a weak function with another parameter",
      [
        symbols({ name: "f", section: ".text", type: takes(4, 8) }),
        symbols({ name: "f", section: ".text", type: takes(4, 4), binding: WEAK }),
      ],
      '"f": parameter 2 is long in a.o, int in b.o',
    ],
    [
      "a function with more parameters",
      [
        symbols({ name: "f", section: ".text", type: takes(4) }),
        symbols({ name: "f", section: ".text", type: takes(4, 4), binding: WEAK }),
      ],
      '"f": it is int (int) in a.o, int (int, int) in b.o',
    ],
    [
      "a function and a variable",
      [symbols({ name: "f", section: ".text", type: takes(4) }), symbols({ name: "f", section: ".data", type: int })],
      '"f": it is a function in a.o, a variable in b.o',
    ],
    [
      "an extern map of another size",
      [
        symbols({ name: "m", section: ".maps", type: arrayMap(4) }),
        symbols({ name: "m", from: ".maps", type: arrayMap(8) }),
      ],
      '"m": field "max_entries" is 4 in a.o, 8 in b.o',
    ],
    [
      "an extern map of other values",
      [
        symbols({ name: "m", section: ".maps", type: arrayMap(4) }),
        symbols({ name: "m", from: ".maps", type: arrayMap(4, 4) }),
      ],
      '"m": field "value" is long in a.o, int in b.o',
    ],
    [
      "variables of other sizes, without types",
      [
        { ...symbols({ name: "v", section: ".data", binding: WEAK }), btf: false },
        { ...symbols({ name: "v", section: ".maps" }), btf: false },
      ],
      '"v": it is in section ".data" in a.o, ".maps" in b.o',
    ],
    ["two byte orders", [{}, { byteOrder: "big" }], "byte order: a.o is little-endian, b.o is big-endian"],
  ];
  it.each(refusals)("refuses %s", (_, objects, message) => {
    expect(() => link(...objects)).toThrow(ObjectConflictError);
    expect(() => link(...objects)).toThrow(message);
  });

  it("takes an array without a length for the one that has it, and pointers to structs by their names", () => {
    const array = (length: number) => (builder: Parameters<typeof int>[0]) => {
      const element = int(builder);
      return builder.add({ kind: BtfKind.ARRAY, name: "", element, index: element, length });
    };
    const bytes = link(
      symbols({ name: "v", type: array(0) }),
      symbols({ name: "v", section: ".data", type: array(2) }),
    );
    const btf = btfOf(bytes);
    const [id] = btf.idsByName("v");
    expect(btf.sizeOf(id ?? 0)).toBe(8);
    const pointer = (size: number) => (builder: Parameters<typeof int>[0]) => {
      const type = builder.add({ kind: BtfKind.STRUCT, name: "partial", size, members: [] });
      return builder.add({ kind: BtfKind.PTR, name: "", type });
    };
    const objects = [pointer(8), pointer(16)].map((type) =>
      symbols({ name: "p", section: ".data", type, binding: WEAK }),
    );
    expect(symbolOf(link(...objects), "p").length).toBe(1);
  });

  it("refuses no objects, two of one name, and broken ones by their name", () => {
    expect(() => linkObjects([])).toThrow(InvalidValueError);
    expect(() => linkObjects([compiled("core"), compiled("core")])).toThrow("two of the objects are named core");
    const cut = { name: "cut.o", bytes: compiled("core").bytes.subarray(0, 100) };
    expect(() => linkObjects([compiled("maps"), cut])).toThrow(MalformedError);
    expect(() => linkObjects([compiled("maps"), cut])).toThrow(/^cut\.o: /);
    const other = compiled("core").bytes.slice();
    other[18] = 62;
    expect(() => linkObjects([{ name: "x86.o", bytes: other }])).toThrow(NotSupportedError);
  });

  it("refuses alignments that would make a small object large", () => {
    expect(() => link({ ...symbols({ name: "v", section: ".data" }), alignment: 2 ** 40 })).toThrow(
      /^a\.o: section "\.data": an alignment of 1099511627776/,
    );
    expect(() => link({ ...symbols({ name: "v", section: ".data" }), alignment: 24 })).toThrow("wanted a power of two");
    const many = Array.from(
      { length: 400 },
      (_, i): TestSymbol => ({ name: `v${i}`, section: `.data.${i}`, binding: WEAK }),
    );
    expect(() => link({ symbols: many, alignment: 65_536 }, { symbols: many, alignment: 65_536 })).toThrow(
      "aligned beyond all proportion",
    );
  });

  it("refuses types that nest beyond all proportion", () => {
    const deep = (builder: BtfBuilder): number => {
      let type = int(builder);
      for (let i = 0; i < 20_000; i++) type = builder.add({ kind: BtfKind.PTR, name: "", type });
      return type;
    };
    const objects = [undefined, ".data"].map((section) => symbols({ name: "deep", section, type: deep }));
    expect(() => link(...objects)).toThrow(MalformedError);
    expect(() => link(...objects)).toThrow(/^b\.o: .*types nest more than 500 deep$/);
  });

  it("reads what an object says of its code once", () => {
    // With the square of the size it takes longer than the test may.
    const builder = new BtfBuilder();
    const names = Array.from({ length: 6000 }, (_, i) => `s${i}`);
    const lineInfo = [{ instruction: 0, fileNameOffset: 0, lineOffset: 0, lineColumn: 1 }];
    const extension = new Map(names.map((name) => [name, { functionInfo: [], lineInfo, coreRelocations: [] }]));
    const ext = writeBtfExtension(extension, (text) => builder.string(text), "little");
    const section = (name: string, bytes: Uint8Array, flags: number): NewSection => ({
      ...{ name, bytes, flags, type: 1, size: bytes.length, alignment: 8, entrySize: 0, relocations: [] },
    });
    const code = names.map((name) =>
      section(name, Uint8Array.of(0x95, 0, 0, 0, 0, 0, 0, 0), SectionFlag.ALLOC | SectionFlag.EXECINSTR),
    );
    const bytes = writeElf("little", [...code, section(".BTF", builder.build(), 0), section(".BTF.ext", ext, 0)], []);
    const linked = linkObjects([{ name: "sections.o", bytes }]);
    expect(contentsOf(linked, ".BTF.ext")?.length).toBe(ext.length);
  }, 5000);

  it("compares a type once, however many symbols have it", () => {
    const table = () => {
      const builder = new BtfBuilder();
      const type = int(builder, 8);
      const members = Array.from({ length: 100 }, (_, i) => ({ name: `m${i}`, type, bitOffset: i * 64, bitSize: 0 }));
      const id = builder.add({ kind: BtfKind.STRUCT, name: "large", size: 800, members });
      return { btf: readBtf(builder.build()), id };
    };
    const [first, second] = [table(), table()];
    const looks = vi.spyOn(first.btf, "typeById");
    const known: SamePairs = new Map();
    expect(typeDifference(first, second, known)).toBe(undefined);
    looks.mockClear();
    expect(typeDifference(first, second, known)).toBe(undefined);
    expect(looks.mock.calls.length).toBeLessThan(5);
  });

  it("does not write gigabytes for lines that share their text", () => {
    const builder = new BtfBuilder();
    const start = builder.string("a".repeat(60_000));
    const lineInfo = Array.from({ length: 20_000 }, (_, i) => ({
      ...{ instruction: i, fileNameOffset: start + i, lineOffset: start + i, lineColumn: 0 },
    }));
    const extension = new Map([[".text", { functionInfo: [], lineInfo, coreRelocations: [] }]]);
    const ext = writeBtfExtension(extension, (text) => builder.string(text), "little");
    const section = (name: string, bytes: Uint8Array, flags: number): NewSection => ({
      ...{ name, bytes, flags, type: 1, size: bytes.length, alignment: 8, entrySize: 0, relocations: [] },
    });
    const code = section(".text", new Uint8Array(20_000 * 8), SectionFlag.ALLOC | SectionFlag.EXECINSTR);
    const bytes = writeElf("little", [code, section(".BTF", builder.build(), 0), section(".BTF.ext", ext, 0)], []);
    expect(() => linkObjects([{ name: "lines.o", bytes }])).toThrow(
      /^lines\.o: .*its lines repeat their text beyond all proportion$/,
    );
  });
});
