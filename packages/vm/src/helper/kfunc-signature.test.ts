// SPDX-License-Identifier: Apache-2.0

import { type Btf, BtfBuilder, BtfKind, readBtf } from "@skep/ebpf";
import { describe, expect, test } from "vitest";
import { signatureOf } from "./kfunc-signature.ts";

const builder = new BtfBuilder();
const integer = (name: string, size: number, signed: boolean) =>
  builder.add({ kind: BtfKind.INT, name, size, bits: size * 8, bitOffset: 0, signed, char: false, bool: false });
const reference = (kind: 2 | 8 | 9 | 10, type: number, name = "") => builder.add({ kind, name, type });
const proto = (returns: number, ...parameters: (readonly [string, number])[]) =>
  builder.add({
    kind: BtfKind.FUNC_PROTO,
    name: "",
    returns,
    parameters: parameters.map(([name, type]) => ({ name, type })),
  });
const struct = (name: string, size: number) => builder.add({ kind: BtfKind.STRUCT, name, size, members: [] });

const int = integer("int", 4, true);
const u8 = integer("unsigned char", 1, false);
const u32 = integer("unsigned int", 4, false);
const u64 = integer("unsigned long", 8, false);
const s64 = integer("long", 8, true);
const size = reference(BtfKind.TYPEDEF, int, "size_type");
const voidPointer = reference(BtfKind.PTR, 0);
const constVoidPointer = reference(BtfKind.PTR, reference(BtfKind.CONST, 0));
const key = struct("key", 12);
const keyPointer = reference(BtfKind.PTR, key);
const constKeyPointer = reference(BtfKind.PTR, reference(BtfKind.TYPEDEF, reference(BtfKind.CONST, key), "frozen_key"));
const contextPointer = reference(BtfKind.PTR, struct("xdp_md", 24));
const mapPointer = reference(BtfKind.PTR, builder.add({ kind: BtfKind.FWD, name: "bpf_map", union: false }));
const unknownPointer = reference(BtfKind.PTR, builder.add({ kind: BtfKind.FWD, name: "file", union: false }));
const charPointer = reference(BtfKind.PTR, reference(BtfKind.CONST, u8));
const callbackPointer = reference(BtfKind.PTR, proto(int, ["", int]));

const numbers = proto(s64, ["a", int], ["b", u8], ["c", u32], ["d", u64], ["e", s64]);
const sized = proto(0, ["from", constVoidPointer], ["from__sz", size], ["to", voidPointer], ["to__szk", u64]);
const pointers = proto(voidPointer, ["a", keyPointer], ["b__nullable", constKeyPointer], ["c", voidPointer]);
const others = proto(u32, ["ctx", contextPointer], ["m", mapPointer], ["f", unknownPointer], ["cb", callbackPointer]);
const texts = proto(
  int,
  ["text__str", charPointer],
  ["data__opt", constVoidPointer],
  ["n__sz", u32],
  ["x__map", voidPointer],
);
const unnamed = proto(int, ["", constVoidPointer], ["", u32]);
const byValue = proto(int, ["k", key]);
const many = proto(0, ...Array.from({ length: 6 }, (_, i) => [`p${i}`, int] as const));
const btf: Btf = readBtf(builder.build());

describe("signatureOf", () => {
  test("integers by their size and sign", () => {
    expect(signatureOf(btf, numbers, "f")).toEqual({ parameters: ["i32", "u32", "u32", "u64", "i64"], result: "i64" });
  });

  test("memory by the parameter behind it, or by what is pointed at", () => {
    expect(signatureOf(btf, sized, "f")).toEqual({
      parameters: [{ readSized: 1 }, "u32", { writeSized: 3 }, "u64"],
      result: "void",
    });
    expect(signatureOf(btf, pointers, "f")).toEqual({
      parameters: [{ write: 12 }, { read: 12, nullable: true }, "address"],
      result: "address",
    });
    expect(signatureOf(btf, texts, "f").parameters).toEqual([
      "address",
      { readSized: 2, nullable: true },
      "u32",
      "map",
    ]);
  });

  test("contexts, maps, callbacks, and what nothing is known of", () => {
    expect(signatureOf(btf, others, "f")).toEqual({
      parameters: ["context", "map", "address", "callback"],
      result: "u32",
    });
  });

  test("the host's names stand in for those that clang leaves out", () => {
    expect(signatureOf(btf, unnamed, "f").parameters).toEqual(["address", "u32"]);
    expect(signatureOf(btf, unnamed, "f", ["data", "data__sz"]).parameters).toEqual([{ readSized: 1 }, "u32"]);
    expect(() => signatureOf(btf, unnamed, "f", ["data"])).toThrow(
      'host function "f": the host names 1 parameters, the object declares 2',
    );
  });

  test("what registers do not carry is refused", () => {
    expect(() => signatureOf(btf, byValue, "f")).toThrow('host function "f": parameter 1, "k", is of another kind');
    expect(() => signatureOf(btf, many, "f")).toThrow('host function "f" has 6 parameters, registers hold 5');
    expect(() => signatureOf(btf, int, "f")).toThrow('host function "f" is declared as no function');
  });
});
