// SPDX-License-Identifier: Apache-2.0

import { BtfBuilder, BtfKind, type BtfMember, readBtf, StructOpsSpec } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { findStructType } from "./struct-ops-type.ts";
import { structOpsValue } from "./struct-ops-value.ts";

/** A member: its type, where it begins in bits, and its bits when it is a bitfield. */
type Member = readonly [
  name: string,
  type: "u8" | "u32" | "u64" | "function" | "pointer",
  bitOffset: number,
  bitSize?: number,
];

/** The types of a struct `ops` and of the value that the kernel keeps it in, 16 bytes into it. */
function typesOf(size: number, members: readonly Member[]) {
  const builder = new BtfBuilder();
  const integer = (name: string, bytes: number) =>
    builder.add({
      ...{ kind: BtfKind.INT, name, size: bytes, bits: bytes * 8 },
      bitOffset: 0,
      signed: false,
      char: false,
      bool: false,
    });
  const u32 = integer("u32", 4);
  const prototype = builder.add({ kind: BtfKind.FUNC_PROTO, name: "", returns: u32, parameters: [] });
  const ids = {
    u8: integer("u8", 1),
    u32,
    u64: integer("u64", 8),
    function: builder.add({ kind: BtfKind.PTR, name: "", type: prototype }),
    pointer: builder.add({ kind: BtfKind.PTR, name: "", type: 0 }),
  };
  const struct = (name: string, bytes: number, fields: readonly BtfMember[]) =>
    builder.add({ kind: BtfKind.STRUCT, name, size: bytes, members: fields });
  const fields = members.map(([name, type, bitOffset, bitSize = 0]) => ({ name, type: ids[type], bitOffset, bitSize }));
  const ops = struct("ops", size, fields);
  const data = { name: "data", type: ops, bitOffset: 128, bitSize: 0 };
  struct("bpf_struct_ops_ops", size + 16, [{ name: "common", type: u32, bitOffset: 0, bitSize: 0 }, data]);
  const btf = readBtf(builder.build());
  const type = btf.typeById(ops);
  const kernel = findStructType(btf, "ops");
  if (type.kind !== BtfKind.STRUCT || kernel === undefined) throw new Error("no struct");
  return { btf, type, kernel };
}

function convert(
  local: readonly Member[],
  contents: readonly number[],
  kernel: readonly Member[],
  programs: Readonly<Record<string, string>> = {},
) {
  const { btf, type } = typesOf(contents.length, local);
  const section = { link: true, optional: false };
  const spec = new StructOpsSpec("mine", section, type, btf, Uint8Array.from(contents), Object.entries(programs));
  const { bytes, programs: placed } = structOpsValue("mine", spec, typesOf(64, kernel).kernel);
  expect(bytes.length).toBe(80);
  return { bytes: bytes.subarray(16), placed: [...placed] };
}

describe("a struct in the kernel's layout", () => {
  it("has its members where the kernel has those of the names", () => {
    const local: Member[] = [
      ["a", "u32", 0],
      ["f", "function", 64],
      ["b", "u8", 128],
    ];
    const kernel: Member[] = [
      ["b", "u8", 0],
      ["new", "u64", 64],
      ["a", "u32", 128],
      ["f", "function", 192],
    ];
    const contents = [1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0];
    const { bytes, placed } = convert(local, contents, kernel, { f: "run" });
    expect([...bytes.subarray(0, 32)]).toEqual([9, ...new Array(15).fill(0), 1, 2, 3, 4, ...new Array(12).fill(0)]);
    expect(placed).toEqual([[16 + 24, "run"]]);
  });

  it("moves bitfields bit by bit", () => {
    const { bytes } = convert(
      [
        ["low", "u32", 0, 3],
        ["high", "u32", 3, 5],
      ],
      [0b10111_101, 0, 0, 0],
      [
        ["high", "u32", 6, 5],
        ["low", "u32", 11, 3],
      ],
    );
    expect([bytes[0], bytes[1]]).toEqual([0b11_000000, 0b00_101_101]);
  });

  it("leaves out what the kernel lacks when it is zero", () => {
    const local: Member[] = [
      ["a", "u8", 0],
      ["gone", "u8", 8],
      ["run", "function", 64],
    ];
    const zeros = new Array<number>(16).fill(0);
    expect(convert(local, [5, ...zeros.slice(1)], [["a", "u8", 0]]).bytes[0]).toBe(5);
    expect(() => convert(local, [5, 1, ...zeros.slice(2)], [["a", "u8", 0]])).toThrow(
      'struct_ops "mine", member "gone": the kernel\'s struct ops has no such member, and it is not zero',
    );
    expect(() => convert(local, zeros, [["a", "u8", 0]], { run: "program" })).toThrow(
      'member "run": the kernel\'s struct ops has no such member, and it is program "program"',
    );
    expect(() => convert(local, zeros, [["a", "u8", 0]], { none: "program" })).toThrow(
      'no member of struct_ops "mine" "none"; there are a, gone, run',
    );
  });

  it.each([
    ["u32", "u64", "a number of 4 bytes in the object, a number of 8 bytes in the kernel"],
    ["u64", "pointer", "a number of 8 bytes in the object, a pointer in the kernel"],
    ["pointer", "function", "a pointer in the object, a function in the kernel"],
  ] as const)("refuses %s for %s", (mine, theirs, words) => {
    expect(() => convert([["a", mine, 0]], new Array(8).fill(0), [["a", theirs, 0]])).toThrow(`member "a": ${words}`);
  });

  it("refuses a bitfield of another size", () => {
    expect(() => convert([["a", "u32", 0, 3]], [0, 0, 0, 0], [["a", "u32", 0]])).toThrow(
      "a bitfield of 3 in the object, a number of 4 bytes in the kernel",
    );
  });
});
