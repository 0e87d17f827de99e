// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readElf } from "../elf/read-elf.ts";
import { InvalidValueError, MalformedError } from "../errors.ts";
import type { Btf } from "./btf.ts";
import { BtfBuilder, writeBtf } from "./btf-builder.ts";
import { readBtfExtension } from "./btf-ext.ts";
import { readBtf, readBtfTable, readSplitBtf } from "./read-btf.ts";
import { BtfKind, type BtfType } from "./types.ts";
import { writeBtfExtension } from "./write-btf-ext.ts";

const allTypes = (btf: Btf): BtfType[] => Array.from({ length: btf.typeCount }, (_, id) => btf.typeById(id));
const names = ["core", "maps", "variables", "subprograms", "kernel-core", "isa"];
const sections = (name: string) =>
  readElf(new Uint8Array(readFileSync(new URL(`../../test-objects/${name}.bpf.o`, import.meta.url)))).sections;
const section = (name: string, wanted: string): Uint8Array =>
  sections(name).find((found) => found.name === wanted)?.bytes ?? new Uint8Array();

const identifier = fc.stringMatching(/^[a-zé_][a-z0-9_]{0,8}$/);
const u32 = fc.nat({ max: 0xffff_ffff });
/** Types that the format can hold, though not all of them make sense: they are read one word at a time. */
const anyType: fc.Arbitrary<BtfType> = fc.oneof(
  fc.record({ kind: fc.constant(BtfKind.PTR), name: fc.constant("" as const), type: u32 }),
  fc.record({ kind: fc.constantFrom(BtfKind.TYPEDEF, BtfKind.TYPE_TAG), name: identifier, type: u32 }),
  fc.record({
    ...{ kind: fc.constant(BtfKind.TYPE_TAG), name: identifier, type: u32 },
    attribute: fc.constant(true as const),
  }),
  fc.record({
    ...{ kind: fc.constant(BtfKind.DECL_TAG), name: identifier, type: u32, component: fc.constantFrom(-1, 3) },
    attribute: fc.constant(true as const),
  }),
  fc.record({
    kind: fc.constant(BtfKind.ARRAY),
    name: fc.constant("" as const),
    element: u32,
    index: u32,
    length: u32,
  }),
  fc.record({ kind: fc.constant(BtfKind.FWD), name: identifier, union: fc.boolean() }),
  fc.record({ kind: fc.constant(BtfKind.FLOAT), name: identifier, size: u32 }),
  fc.record({
    kind: fc.constant(BtfKind.DECL_TAG),
    name: identifier,
    type: u32,
    component: fc.integer({ min: -1, max: 60_000 }),
  }),
  fc.record({
    kind: fc.constantFrom(BtfKind.FUNC, BtfKind.VAR),
    name: identifier,
    type: u32,
    linkage: fc.constantFrom("static" as const, "global" as const, "extern" as const),
  }),
  fc
    .record({ size: fc.constantFrom(1, 2, 4, 8, 16), signed: fc.boolean(), char: fc.boolean(), bool: fc.boolean() })
    .map(({ size, ...traits }) => ({ kind: BtfKind.INT, name: "int", size, bits: size * 8, bitOffset: 0, ...traits })),
  fc.record({
    kind: fc.constant(BtfKind.FUNC_PROTO),
    name: fc.constant("" as const),
    returns: u32,
    parameters: fc.array(fc.record({ name: identifier, type: u32 }), { maxLength: 5 }),
  }),
  fc.record({
    kind: fc.constant(BtfKind.DATASEC),
    name: identifier,
    size: u32,
    variables: fc.array(fc.record({ type: u32, offset: u32, size: u32 }), { maxLength: 4 }),
  }),
  fc
    .record({ signed: fc.boolean(), values: fc.array(fc.tuple(identifier, fc.bigInt(0n, 2n ** 64n - 1n))) })
    .chain(({ signed, values }) =>
      fc.constantFrom(BtfKind.ENUM, BtfKind.ENUM64).map((kind) => ({
        kind,
        name: "colour",
        size: kind === BtfKind.ENUM ? 4 : 8,
        signed,
        values: values.map(([name, bits]) => {
          const cut = (signed ? BigInt.asIntN : BigInt.asUintN)(kind === BtfKind.ENUM ? 32 : 64, bits);
          return { name, value: Number.isSafeInteger(Number(cut)) ? Number(cut) : cut };
        }),
      })),
    ),
  fc.array(fc.tuple(identifier, fc.nat({ max: 31 }))).map((members) => ({
    kind: BtfKind.STRUCT,
    name: "pair",
    size: 4 * members.length,
    // Type 1 is an int of 4 bytes.
    members: members.map(([name, bitSize], i) => ({ name, type: 1, bitOffset: i * 32, bitSize })),
  })),
);
const INT: BtfType = {
  ...{ kind: BtfKind.INT, name: "int", size: 4, bits: 32, bitOffset: 0 },
  ...{ signed: true, char: false, bool: false },
};

describe("BtfBuilder", () => {
  it.each(["little", "big"] as const)("writes types that read as they were given, %s-endian", (byteOrder) => {
    fc.assert(
      fc.property(fc.array(anyType), (types) => {
        const builder = new BtfBuilder(byteOrder);
        const ids = [INT, ...types].map((type) => builder.add(type));
        const btf = readBtf(builder.build());
        expect(btf.byteOrder).toBe(byteOrder);
        expect(ids).toEqual(ids.map((_, i) => i + 1));
        expect(allTypes(btf).slice(1)).toEqual([INT, ...types]);
      }),
    );
  });

  it("goes on after building, and stores equal strings once", () => {
    const builder = new BtfBuilder();
    builder.add(INT);
    expect(readBtf(builder.build()).typeCount).toBe(2);
    builder.add({ kind: BtfKind.TYPEDEF, name: "int", type: 1 });
    const btf = readBtf(builder.build());
    expect(btf.idsByName("int")).toEqual([1, 2]);
    expect(btf.string(builder.string("int"))).toBe("int");
    expect(builder.string("int")).toBe(1);
  });

  it("refuses void, names with a NUL, and places that do not fit beside bitfields", () => {
    const builder = new BtfBuilder();
    expect(() => builder.add({ kind: BtfKind.VOID, name: "" })).toThrow(InvalidValueError);
    expect(() => builder.add({ ...INT, name: "a\0b" } as BtfType)).toThrow("holds a NUL");
    const far = { name: "far", type: 1, bitOffset: 2 ** 24, bitSize: 0 };
    const bit = { name: "bit", type: 1, bitOffset: 0, bitSize: 1 };
    const struct = { kind: BtfKind.STRUCT, name: "s", size: 2 ** 22, members: [bit, far] };
    expect(() => builder.add(struct)).toThrow("bit 16777216 does not fit beside bitfields");
    expect(builder.typeCount).toBe(1);
  });

  it.each(names)("writes the types of %s.bpf.o again, in both byte orders", (name) => {
    const before = readBtf(section(name, ".BTF"));
    for (const order of ["little", "big"] as const) {
      expect(allTypes(readBtf(writeBtf(before, order)))).toEqual(allTypes(before));
    }
  });

  it.runIf(existsSync("/sys/kernel/btf/vmlinux"))(
    "writes the types of the running kernel again",
    { timeout: 60_000 },
    () => {
      const before = readBtf(new Uint8Array(readFileSync("/sys/kernel/btf/vmlinux")));
      const after = readBtf(writeBtf(before));
      expect(after.typeCount).toBe(before.typeCount);
      for (let id = 1; id < before.typeCount; id += 11) expect(after.typeById(id)).toEqual(before.typeById(id));
    },
  );
});

describe("readSplitBtf", () => {
  const base = readBtf(section("core", ".BTF"));
  const split = new BtfBuilder("little", base);
  const point = base.idsByName("point")[0] ?? 0;
  const typedef = split.add({ kind: BtfKind.TYPEDEF, name: "place_t", type: point });
  const widget = split.add({
    ...{ kind: BtfKind.STRUCT, name: "widget___module", size: base.sizeOf(point) },
    members: [{ name: "at", type: typedef, bitOffset: 0, bitSize: 0 }],
  });
  const bytes = split.build();

  it("numbers its types after the base's, and resolves into it", () => {
    const btf = readSplitBtf(bytes, base);
    expect(typedef).toBe(base.typeCount);
    expect(btf.typeCount).toBe(base.typeCount + 2);
    expect(btf.typeById(point)).toBe(base.typeById(point));
    expect(btf.resolve(typedef)).toBe(point);
    expect(btf.typeById(widget)).toMatchObject({ name: "widget___module", members: [{ name: "at" }] });
    expect(btf.sizeOf(widget)).toBe(base.sizeOf(point));
  });

  it("finds names in both", () => {
    const btf = readSplitBtf(bytes, base);
    expect(btf.idsByName("place_t")).toEqual([typedef]);
    expect(btf.idsByName("point")).toEqual([point]);
    expect(btf.idsByEssentialName("widget")).toEqual([...base.idsByEssentialName("widget"), widget]);
    expect(btf.string(1)).toBe(base.string(1));
  });

  it("refuses a base that is split, truncated bytes, the other byte order and ids past the end", () => {
    const btf = readSplitBtf(bytes, base);
    expect(() => readSplitBtf(bytes, btf)).toThrow(InvalidValueError);
    expect(() => btf.typeById(btf.typeCount)).toThrow(MalformedError);
    expect(() => readSplitBtf(bytes, readBtf(writeBtf(base, "big")))).toThrow("its base is not");
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readSplitBtf(bytes.subarray(0, length), base)).toThrow(MalformedError);
    }
  });
});

describe("writeBtfExtension", () => {
  it.each(names)("writes what %s.bpf.o says about its instructions again", (name) => {
    const btf = readBtfTable(section(name, ".BTF"));
    const wanted = new Set(sections(name).map((found) => found.name));
    const before = readBtfExtension(section(name, ".BTF.ext"), btf, wanted);
    const offsets = new Map<string, number>();
    for (let at = 0; at < btf.strings.bytes.length; at += btf.string(at).length + 1) offsets.set(btf.string(at), at);
    const bytes = writeBtfExtension(before, (text) => offsets.get(text) ?? -1, "little");
    expect(readBtfExtension(bytes, btf, wanted)).toEqual(before);
    expect([...before.values()].some(({ lineInfo }) => lineInfo.length > 0)).toBe(true);
  });
});
