// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { BtfBuilder } from "../btf/btf-builder.ts";
import { readBtf } from "../btf/read-btf.ts";
import { BtfKind } from "../btf/types.ts";
import { spliceTypes } from "./splice-types.ts";

function build(byteOrder: "little" | "big"): Uint8Array {
  const builder = new BtfBuilder(byteOrder);
  builder.add({ kind: BtfKind.STRUCT, name: "first", size: 0, members: [] });
  builder.add({ kind: BtfKind.TYPEDEF, name: "second", type: 1 });
  return builder.build();
}

/** The same with the header of Linux 7.1, and a layout table of one word behind the strings. */
function withLayout(bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length + 12);
  result.set(bytes.subarray(0, 24));
  result.set(bytes.subarray(24), 32);
  const view = new DataView(result.buffer);
  view.setUint32(4, 32, true);
  view.setUint32(24, bytes.length - 24, true);
  view.setUint32(28, 4, true);
  result.set([1, 2, 3, 4], bytes.length + 8);
  return result;
}

const pointer = [0, (BtfKind.PTR << 24) >>> 0, 2];

describe("spliceTypes", () => {
  it.each([
    ["little-endian", build("little"), true],
    ["big-endian", build("big"), false],
    ["with a layout table", withLayout(build("little")), true],
  ] as const)("appends types to BTF %s, and moves nothing else", (_, bytes, littleEndian) => {
    const before = readBtf(bytes);
    const spliced = spliceTypes(bytes, pointer, littleEndian);
    const after = readBtf(spliced);
    expect(spliced.length).toBe(bytes.length + 12);
    expect([after.typeById(1), after.typeById(2)]).toEqual([before.typeById(1), before.typeById(2)]);
    expect(after.typeById(3)).toMatchObject({ kind: BtfKind.PTR, type: 2 });
    expect(after.typeCount).toBe(4);
    expect(after.string(1)).toBe(before.string(1));
    expect(spliced.at(-1)).toBe(bytes.at(-1));
  });

  it("copies BTF when nothing is added", () => {
    const bytes = build("little");
    const copy = spliceTypes(bytes, [], true);
    expect(copy).toEqual(bytes);
    expect(copy.buffer).not.toBe(bytes.buffer);
  });
});
