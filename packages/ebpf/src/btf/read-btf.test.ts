// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readElf } from "../elf/read-elf.ts";
import { MalformedError, NotSupportedError } from "../errors.ts";
import { BtfBuilder, writeBtf } from "./btf-builder.ts";
import { printC } from "./c/print-c.ts";
import { essentialName } from "./essential-name.ts";
import { readBtf, readSplitBtf } from "./read-btf.ts";
import { BtfKind } from "./types.ts";

interface Layout {
  byteOrder?: "little" | "big";
  headerSize?: number;
  /** `struct btf_layout` by kind: bytes once, bytes for each element. */
  layout?: (readonly [number, number])[];
}

/** BTF from the words of its types. */
function btfBytes(strings: string, words: readonly number[], options: Layout = {}): Uint8Array {
  const { byteOrder = "little", headerSize = 24, layout = [] } = options;
  const text = new TextEncoder().encode(`\0${strings}`);
  const little = byteOrder === "little";
  const layoutSize = layout.length * 4;
  const bytes = new Uint8Array(headerSize + words.length * 4 + layoutSize + text.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, little);
  view.setUint8(2, 1);
  const header = [headerSize, 0, words.length * 4, words.length * 4 + layoutSize, text.length];
  if (headerSize >= 32) header.push(words.length * 4, layoutSize);
  for (const [i, value] of header.entries()) view.setUint32(4 + i * 4, value, little);
  for (const [i, word] of words.entries()) view.setUint32(headerSize + i * 4, word, little);
  for (const [kind, [once, each]] of layout.entries()) {
    const at = headerSize + words.length * 4 + kind * 4;
    view.setUint8(at, once);
    view.setUint8(at + 1, each);
  }
  bytes.set(text, headerSize + words.length * 4 + layoutSize);
  return bytes;
}

const info = (kind: number, count = 0, flag = false): number => ((flag ? 0x8000_0000 : 0) | (kind << 24) | count) >>> 0;
/** int: id 1, name at 1. */
const INT = [1, info(BtfKind.INT), 4, (1 << 24) | 32];

describe("readBtf", () => {
  it.each(["little", "big"] as const)("decodes types in %s-endian order", (byteOrder) => {
    const words = [
      ...INT,
      // 2: struct pair { int a; int b : 3; }
      ...[5, info(BtfKind.STRUCT, 2, true), 8, 10, 1, 0, 12, 1, (3 << 24) | 32],
      // 3: pair *
      ...[0, info(BtfKind.PTR), 2],
      // 4: int[5]
      ...[0, info(BtfKind.ARRAY), 0, 1, 1, 5],
      // 5: enum { a = -1 }
      ...[5, info(BtfKind.ENUM, 1, true), 4, 10, 0xffff_ffff],
      // 6: enum64 { b = 2^53 + 1, a = 5 }
      ...[5, info(BtfKind.ENUM64, 2), 8, 12, 1, 0x20_0000, 10, 5, 0],
      // 7: int fn(int a)
      ...[0, info(BtfKind.FUNC_PROTO, 1), 1, 10, 1],
      ...[14, info(BtfKind.FUNC, 1), 7],
      // 9: typedef
      ...[14, info(BtfKind.TYPEDEF), 4],
      // 10: decl tag on member 1
      ...[14, info(BtfKind.DECL_TAG), 2, 1],
      // 11: var
      ...[14, info(BtfKind.VAR), 1, 1],
      // 12: data section
      ...[14, info(BtfKind.DATASEC, 1), 4, 11, 0, 4],
      // 13: forward union
      ...[14, info(BtfKind.FWD, 0, true), 0],
      // 14: float
      ...[14, info(BtfKind.FLOAT), 8],
    ];
    const btf = readBtf(btfBytes("int\0pair\0a\0b\0other\0", words, { byteOrder }));
    expect(btf.byteOrder).toBe(byteOrder);
    expect(btf.typeCount).toBe(15);
    expect(btf.typeById(1)).toMatchObject({ name: "int", size: 4, bits: 32, signed: true, char: false });
    expect(btf.typeById(2)).toEqual({
      kind: BtfKind.STRUCT,
      name: "pair",
      size: 8,
      members: [
        { name: "a", type: 1, bitOffset: 0, bitSize: 0 },
        { name: "b", type: 1, bitOffset: 32, bitSize: 3 },
      ],
    });
    expect(btf.typeById(3)).toEqual({ kind: BtfKind.PTR, name: "", type: 2 });
    expect(btf.sizeOf(4)).toBe(20);
    expect(btf.typeById(5)).toMatchObject({ signed: true, values: [{ name: "a", value: -1 }] });
    expect(btf.typeById(6)).toMatchObject({
      values: [
        { name: "b", value: 2n ** 53n + 1n },
        { name: "a", value: 5 },
      ],
    });
    expect(btf.typeById(7)).toMatchObject({ returns: 1, parameters: [{ name: "a", type: 1 }] });
    expect(btf.typeById(8)).toEqual({ kind: BtfKind.FUNC, name: "other", type: 7, linkage: "global" });
    expect(btf.resolve(9)).toBe(4);
    expect(btf.sizeOf(9)).toBe(20);
    expect(btf.typeById(10)).toEqual({ kind: BtfKind.DECL_TAG, name: "other", type: 2, component: 1 });
    expect(btf.typeById(11)).toEqual({ kind: BtfKind.VAR, name: "other", type: 1, linkage: "global" });
    expect(btf.typeById(12)).toMatchObject({ size: 4, variables: [{ type: 11, offset: 0, size: 4 }] });
    expect(btf.typeById(13)).toEqual({ kind: BtfKind.FWD, name: "other", union: true });
    expect(btf.sizeOf(14)).toBe(8);
    expect(btf.idsByName("other")).toEqual([8, 9, 10, 11, 12, 13, 14]);
    expect(btf.idsByName("")).toEqual([]);
    expect(btf.idsByName("nothing")).toEqual([]);
  });

  it("finds flavours by the name without them", () => {
    const names = "int\0task\0task___old\0task_____x\0a___b\0";
    const at = [5, 10, 21, 32].map((offset) => [offset, info(BtfKind.TYPEDEF), 1]);
    const btf = readBtf(btfBytes(names, [...INT, ...at.flat()]));
    expect(btf.idsByName("task")).toEqual([2]);
    expect(btf.idsByName("task___old")).toEqual([3]);
    expect(btf.idsByEssentialName("task")).toEqual([2, 3]);
    expect(btf.idsByEssentialName("task___new")).toEqual([2, 3]);
    // Five underscores are no separator.
    expect(btf.idsByEssentialName("task_____x")).toEqual([4]);
    expect(btf.idsByEssentialName("a")).toEqual([5]);
  });

  it.each(["little", "big"] as const)(
    "tells attributes from tags by the kind flag, in %s-endian order",
    (byteOrder) => {
      const words = [
        ...INT,
        ...[5, info(BtfKind.TYPE_TAG), 1],
        ...[5, info(BtfKind.TYPE_TAG, 0, true), 1],
        ...[5, info(BtfKind.DECL_TAG, 0, true), 1, 0xffff_ffff],
      ];
      const btf = readBtf(btfBytes("int\0pair\0", words, { byteOrder }));
      expect(btf.typeById(2)).toEqual({ kind: BtfKind.TYPE_TAG, name: "pair", type: 1 });
      expect(btf.typeById(3)).toEqual({ kind: BtfKind.TYPE_TAG, name: "pair", type: 1, attribute: true });
      const tag = { kind: BtfKind.DECL_TAG, name: "pair", type: 1, component: -1, attribute: true };
      expect(btf.typeById(4)).toEqual(tag);
    },
  );

  it("takes an integer of fewer bits than bytes as a bitfield also beside others", () => {
    const words = [...[1, info(BtfKind.INT), 4, (1 << 16) | 5], ...[5, info(BtfKind.STRUCT, 1, true), 4, 10, 1, 8]];
    expect(readBtf(btfBytes("int\0pair\0a\0", words)).typeById(2)).toMatchObject({
      members: [{ bitOffset: 9, bitSize: 5 }],
    });
  });

  it("finds all flavours of a name, wherever they begin", () => {
    const name = fc.stringMatching(/^[ab](_{0,5}[ab]){0,9}$/);
    const examples = Array.from({ length: 20 }, (_, length): [string[]] => {
      const essential = "a".repeat(length + 1);
      return [["", "_b", "___b", "___b___c", "____b"].map((end) => `${essential}${end}`)];
    });
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 30 }), (names) => {
        const builder = new BtfBuilder();
        for (const each of names) builder.add({ kind: BtfKind.FLOAT, name: each, size: 4 });
        const btf = readBtf(builder.build());
        const idsOf = (matches: (each: string) => boolean) =>
          names.flatMap((each, i) => (matches(each) ? [i + 1] : []));
        for (const each of names) {
          expect(btf.idsByName(each)).toEqual(idsOf((other) => other === each));
          const essential = essentialName(each);
          expect(btf.idsByEssentialName(each)).toEqual(idsOf((other) => essentialName(other) === essential));
        }
      }),
      { numRuns: 200, examples },
    );
  });

  it("leaves a member whose integer has no bits where it is, also when it is written again", () => {
    const words = [...[1, info(BtfKind.INT), 4, 10 << 16], ...[5, info(BtfKind.STRUCT, 1), 8, 10, 1, 10]];
    const btf = readBtf(btfBytes("int\0pair\0a\0", words));
    const members = [{ name: "a", type: 1, bitOffset: 10, bitSize: 0 }];
    expect(btf.typeById(2)).toMatchObject({ members });
    expect(readBtf(writeBtf(btf)).typeById(2)).toMatchObject({ members });
  });

  it("inflates bitfields from before Linux 5.1", () => {
    const words = [...[1, info(BtfKind.INT), 4, (1 << 16) | 5], ...[5, info(BtfKind.STRUCT, 1), 4, 10, 1, 8]];
    expect(readBtf(btfBytes("int\0pair\0a\0", words)).typeById(2)).toMatchObject({
      members: [{ bitOffset: 9, bitSize: 5 }],
    });
  });

  it("steps over kinds that it does not know with the layout table of Linux 7.1", () => {
    const layout = Array.from({ length: 22 }, (_, kind): [number, number] => (kind === 21 ? [4, 8] : [0, 0]));
    const words = [...INT, ...[5, info(21, 2), 0, 1, 2, 3, 4, 5], ...[5, info(BtfKind.TYPEDEF), 1]];
    const bytes = btfBytes("int\0new\0", words, { headerSize: 32, layout });
    const btf = readBtf(bytes);
    expect(btf.idsByName("new")).toEqual([3]);
    expect(printC(btf)).toBe("typedef int new;\n\n");
    expect(readSplitBtf(bytes, readBtf(bytes)).idsByName("new")).toEqual([3, 6]);
    expect(btf.typeCount).toBe(4);
    expect(btf.resolve(3)).toBe(1);
    expect(() => btf.typeById(2)).toThrow(NotSupportedError);
    expect(() => readBtf(btfBytes("int\0new\0", words))).toThrow("type 2 is of the unknown kind 21");
    const odd = layout.map(([once, each], kind): [number, number] => (kind === 21 ? [3, each] : [once, each]));
    const refused = (): unknown => readBtf(btfBytes("int\0new\0", words, { headerSize: 32, layout: odd }));
    expect(refused).toThrow("kind 21 takes 3 and 8 bytes, wanted multiples of 4");
  });

  it.each([
    ["a typedef of itself", [5, info(BtfKind.TYPEDEF), 2]],
    ["an array of itself", [0, info(BtfKind.ARRAY), 0, 2, 1, 2]],
    ["an array that is too large", [0, info(BtfKind.ARRAY), 0, 1, 1, 0xffff_ffff]],
    ["a function", [5, info(BtfKind.FUNC), 1]],
    ["a type that is not in the table", [5, info(BtfKind.TYPEDEF), 99]],
    ["void", [5, info(BtfKind.CONST), 0]],
  ])("has no size for %s", (_, words) => {
    const btf = readBtf(btfBytes("int\0pair\0", [...INT, ...words]));
    expect(() => btf.sizeOf(2)).toThrow(MalformedError);
  });

  it("does not resolve typedefs that lead in a circle", () => {
    const btf = readBtf(btfBytes("int\0pair\0", [...INT, 5, info(BtfKind.TYPEDEF), 3, 5, info(BtfKind.CONST), 2]));
    expect(() => btf.resolve(2)).toThrow(MalformedError);
  });

  it("refuses ids that are not in the table", () => {
    const btf = readBtf(btfBytes("int\0", INT));
    expect(() => btf.typeById(2)).toThrow("type 2 does not exist, there are 2");
    expect(() => btf.resolve(0xffff_ffff)).toThrow(MalformedError);
    expect(btf.typeById(0).kind).toBe(BtfKind.VOID);
  });

  it.each([
    ["a member outside its struct", [5, info(BtfKind.STRUCT, 1), 4, 1, 1, 8]],
    ["a struct that holds itself", [5, info(BtfKind.STRUCT, 1), 4, 1, 2, 0]],
    ["a struct that holds itself and more", [5, info(BtfKind.STRUCT, 2), 4, 1, 2, 0, 1, 1, 32]],
    ["a linkage that does not exist", [5, info(BtfKind.VAR), 1, 7]],
    ["an enum of 3 bytes", [5, info(BtfKind.ENUM, 0), 3]],
    ["an integer of 17 bytes", [5, info(BtfKind.INT), 17, 32]],
  ])("refuses %s", (_, words) => {
    const btf = readBtf(btfBytes("int\0pair\0", [...INT, ...words]));
    expect(() => btf.typeById(2)).toThrow(MalformedError);
  });

  it("refuses structs that hold each other, through an array without elements too", () => {
    const words = [
      ...INT,
      ...[5, info(BtfKind.STRUCT, 1), 4, 1, 3, 0],
      ...[0, info(BtfKind.ARRAY), 0, 4, 1, 0],
      ...[5, info(BtfKind.STRUCT, 1), 8, 1, 2, 0],
    ];
    const btf = readBtf(btfBytes("int\0pair\0", words));
    for (const id of [2, 4, 2]) expect(() => btf.typeById(id)).toThrow(`type ${id}: it holds itself`);
  });

  it("refuses more members than there are bytes", () => {
    expect(() => readBtf(btfBytes("int\0", [1, info(BtfKind.STRUCT, 0xffffff), 4]))).toThrow("ends past the types");
  });

  it("refuses names that lie past the strings or do not end", () => {
    expect(() => readBtf(btfBytes("int\0", [99, info(BtfKind.INT), 4, 32]))).toThrow("lies past the strings");
    expect(() => readBtf(btfBytes("int", INT))).toThrow("does not begin and end with NUL");
  });

  it("refuses every truncation and reads the whole", () => {
    const object = new Uint8Array(readFileSync(new URL("../../test-objects/core.bpf.o", import.meta.url)));
    const section = readElf(object).sections.find(({ name }) => name === ".BTF")!;
    expect(readBtf(section.bytes).idsByName("widget").length).toBe(1);
    for (let length = 0; length < section.size; length++) {
      expect(() => readBtf(section.bytes.subarray(0, length))).toThrow(MalformedError);
    }
  });
});

const vmlinux = "/sys/kernel/btf/vmlinux";

describe.runIf(existsSync(vmlinux))("the running kernel's types", () => {
  it("has a task_struct, and every type can be decoded", () => {
    const btf = readBtf(new Uint8Array(readFileSync(vmlinux)));
    const id = btf.idsByName("task_struct").find((candidate) => btf.typeById(candidate).kind === BtfKind.STRUCT);
    expect(btf.sizeOf(id ?? 0)).toBeGreaterThan(1000);
    for (let i = 1; i < btf.typeCount; i += 7) btf.typeById(i);
  });
});
