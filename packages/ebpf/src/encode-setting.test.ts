// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { BtfBuilder } from "./btf/btf-builder.ts";
import { readBtf } from "./btf/read-btf.ts";
import { BtfKind } from "./btf/types.ts";
import { encodeSetting } from "./encode-setting.ts";

function declarations(byteOrder: "little" | "big") {
  const builder = new BtfBuilder(byteOrder);
  const integer = (name: string, size: number, kind: { signed?: boolean; bool?: boolean } = {}): number =>
    builder.add({
      kind: BtfKind.INT,
      name,
      size,
      bits: size * 8,
      bitOffset: 0,
      char: false,
      signed: kind.signed === true,
      bool: kind.bool === true,
    });
  const char = integer("char", 1, { signed: true });
  const enumeration = (name: string): number =>
    builder.add({ kind: BtfKind.ENUM, name, size: 4, signed: false, values: [{ name: `${name}_NO`, value: 0 }] });
  const array = (element: number, length: number): number =>
    builder.add({ kind: BtfKind.ARRAY, name: "", element, index: char, length });
  const int = integer("int", 4, { signed: true });
  const ids = {
    char,
    int,
    u8: integer("unsigned char", 1),
    u16: integer("unsigned short", 2),
    u64: integer("unsigned long", 8),
    bool: integer("_Bool", 1, { bool: true }),
    tristate: enumeration("libbpf_tristate"),
    choice: enumeration("choice"),
    text: array(char, 6),
    ints: array(int, 2),
    pointer: builder.add({ kind: BtfKind.PTR, name: "", type: char }),
  };
  return { ids, btf: readBtf(builder.build()) };
}

type TypeName = keyof ReturnType<typeof declarations>["ids"];

function encoded(type: TypeName, value: string, byteOrder: "little" | "big" = "little"): number[] | string {
  const { ids, btf } = declarations(byteOrder);
  const size = btf.sizeOf(ids[type]);
  const contents = new Uint8Array(size + 2).fill(0xee);
  const variable = { name: "X", map: ".kconfig", offset: 1, size, typeId: ids[type], readOnly: true };
  const problem = encodeSetting(btf, variable, value, contents);
  expect([contents[0], contents[size + 1]]).toEqual([0xee, 0xee]);
  return problem ?? [...contents.subarray(1, size + 1)];
}

describe("encodeSetting", () => {
  it.each([
    ["bool", "y", [1]],
    ["bool", "n", [0]],
    ["bool", "1", [1]],
    ["tristate", "n", [0, 0, 0, 0]],
    ["tristate", "y", [1, 0, 0, 0]],
    ["tristate", "m", [2, 0, 0, 0]],
    ["char", "m", [0x6d]],
    ["char", "-3", [0xfd]],
    ["int", "1000", [0xe8, 3, 0, 0]],
    ["int", "0xffffffff", [0xff, 0xff, 0xff, 0xff]],
    ["u16", "0x1F", [0x1f, 0]],
    ["u64", "18446744073709551615", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ["text", '"abcde"', [97, 98, 99, 100, 101, 0]],
    ["text", '""', [0, 0, 0, 0, 0, 0]],
    ["text", '"a\\"\\\\"', [97, 34, 92, 0, 0, 0]],
  ] as const)("puts into %s what the configuration calls %s", (type, value, bytes) => {
    expect(encoded(type, value)).toEqual(bytes);
  });

  it("follows the byte order of the object", () => {
    expect(encoded("int", "1", "big")).toEqual([0, 0, 0, 1]);
  });

  it.each([
    ["bool", "m", "its value m does not fit in a bool"],
    ["bool", "2", "its value 2 does not fit in a bool"],
    ["int", "y", "its value y does not fit in a signed integer of 4 bytes"],
    ["int", "2147483648", "its value 2147483648 does not fit in a signed integer of 4 bytes"],
    ["u8", "256", "its value 256 does not fit in an unsigned integer of 1 bytes"],
    ["u16", "-1", "its value -1 does not fit in an unsigned integer of 2 bytes"],
    ["int", '"text"', 'its value "text" does not fit in a signed integer of 4 bytes'],
    ["int", "12abc", "its value 12abc does not fit in a signed integer of 4 bytes"],
    ["int", "constructor", "its value constructor does not fit in a signed integer of 4 bytes"],
    ["choice", "y", "its value y does not fit in enum choice"],
    ["tristate", "7", "its value 7 does not fit in enum libbpf_tristate"],
    ["text", "y", "its value y does not fit in an array of char"],
    ["text", '"abcdef"', "its value has 6 bytes and a NUL, the array has 6"],
    ["ints", '"a"', 'its value "a" does not fit in an array of something else than char'],
    ["pointer", "1", "its value 1 does not fit in a type that no configuration has"],
  ] as const)("refuses for %s the value %s", (type, value, words) => {
    expect(encoded(type, value)).toBe(words);
  });
});
