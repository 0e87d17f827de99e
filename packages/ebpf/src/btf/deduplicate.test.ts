// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readElf } from "../elf/read-elf.ts";
import type { Btf } from "./btf.ts";
import { BtfBuilder, writeBtf } from "./btf-builder.ts";
import { printC } from "./c/print-c.ts";
import { deduplicateBtf } from "./deduplicate.ts";
import { mapReferences } from "./map-references.ts";
import { readBtf } from "./read-btf.ts";
import { BtfKind, type BtfType } from "./types.ts";

function objectTypes(name: string): Btf {
  const elf = readElf(new Uint8Array(readFileSync(new URL(`../../test-objects/${name}.bpf.o`, import.meta.url))));
  return readBtf(elf.sections.find((section) => section.name === ".BTF")?.bytes ?? new Uint8Array());
}

function table(...types: BtfType[]): Btf {
  const builder = new BtfBuilder();
  for (const type of types) builder.add(type);
  return readBtf(builder.build());
}

const int: BtfType = {
  ...{ kind: BtfKind.INT, name: "int", size: 4, bits: 32, bitOffset: 0 },
  ...{ signed: true, char: false, bool: false },
};
const pointer = (type: number): BtfType => ({ kind: BtfKind.PTR, name: "", type });
const struct = (name: string, ...members: [string, number][]): BtfType => ({
  ...{ kind: BtfKind.STRUCT, name, size: members.length * 8 },
  members: members.map(([member, type], i) => ({ name: member, type, bitOffset: i * 64, bitSize: 0 })),
});
const forward = (name: string): BtfType => ({ kind: BtfKind.FWD, name, union: false });

describe("deduplicateBtf", () => {
  it("leaves one of equal types, through what they refer to", () => {
    const { bytes, ids } = deduplicateBtf(
      table(int, pointer(1), int, pointer(3), struct("s", ["p", 2]), struct("s", ["p", 4])),
    );
    expect([...ids]).toEqual([0, 1, 2, 1, 2, 3, 3]);
    expect(readBtf(bytes).typeCount).toBe(4);
  });

  it("knows lists that lead back to themselves as equal, and keeps those apart that differ at the far end", () => {
    const list = (at: number, value: number): BtfType[] => [
      pointer(at + 1),
      struct("list", ["next", at], ["value", value]),
    ];
    const same = deduplicateBtf(table(int, ...list(2, 1), ...list(4, 1)));
    expect([...same.ids]).toEqual([0, 1, 2, 3, 2, 3]);
    const other = deduplicateBtf(table(int, ...list(2, 1), ...list(4, 2)));
    expect(readBtf(other.bytes).typeCount).toBe(6);
  });

  it("puts the struct in place of a forward declaration, and makes equal what differed in that alone", () => {
    const { bytes, ids } = deduplicateBtf(
      table(
        forward("b"),
        pointer(1),
        struct("a", ["p", 2]),
        int,
        struct("b", ["x", 4]),
        pointer(5),
        struct("a", ["p", 6]),
      ),
    );
    const btf = readBtf(bytes);
    expect(ids[1]).toBe(ids[5]);
    expect(ids[3]).toBe(ids[7]);
    expect(btf.idsByName("a").length).toBe(1);
    expect(btf.typeCount).toBe(5);
  });

  it("leaves a forward declaration alone when several structs have its name", () => {
    const { bytes } = deduplicateBtf(table(int, forward("b"), struct("b", ["x", 1]), struct("b", ["y", 1])));
    expect(readBtf(bytes).typeCount).toBe(5);
  });

  it("keeps attributes apart from tags of the same text", () => {
    const tag = (attribute?: true): BtfType => ({
      ...{ kind: BtfKind.TYPE_TAG, name: "rcu", type: 1 },
      ...(attribute === undefined ? {} : { attribute }),
    });
    const { bytes, ids } = deduplicateBtf(table(int, tag(), tag(true), tag(), tag(true)));
    expect([...ids]).toEqual([0, 1, 2, 3, 2, 3]);
    expect(readBtf(bytes).typeById(3)).toEqual(tag(true));
  });

  it("keeps variables of equal names apart", () => {
    const variable: BtfType = { kind: BtfKind.VAR, name: "v", type: 1, linkage: "static" };
    expect([...deduplicateBtf(table(int, variable, variable)).ids]).toEqual([0, 1, 2, 3]);
  });

  it.each(["core", "maps", "variables", "kernel-core"])(
    "finds all of %s.bpf.o in itself, twice over and in any order",
    (name) => {
      const once = readBtf(deduplicateBtf(objectTypes(name)).bytes);
      const count = once.typeCount - 1;
      const own = Array.from({ length: count }, (_, i) => once.typeById(i + 1));
      fc.assert(
        fc.property(
          fc.shuffledSubarray(
            Array.from({ length: count }, (_, i) => i),
            { minLength: count },
          ),
          (order) => {
            // The second copy comes in another order, with its references moved there.
            const place = new Map(order.map((from, to) => [from + 1, count + 1 + to]));
            const builder = new BtfBuilder();
            for (const type of own) builder.add(type);
            for (const from of order) {
              builder.add(mapReferences(own[from] as BtfType, (id) => place.get(id) ?? 0));
            }
            const { bytes, ids } = deduplicateBtf(readBtf(builder.build()));
            const distinct = own.filter(({ kind }) => kind === BtfKind.VAR || kind === BtfKind.DATASEC).length;
            expect(readBtf(bytes).typeCount).toBe(count + 1 + distinct);
            for (const [from, to] of place) {
              const { kind } = once.typeById(from);
              if (kind !== BtfKind.VAR && kind !== BtfKind.DATASEC) expect(ids[to]).toBe(ids[from]);
            }
          },
        ),
        { numRuns: 10 },
      );
      expect(printC(once)).toBe(printC(readBtf(writeBtf(once))));
    },
  );
});
