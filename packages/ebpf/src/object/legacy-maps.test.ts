// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readElf } from "../elf/read-elf.ts";
import { MalformedError } from "../errors.ts";
import { MapType } from "../map-type.ts";
import { parseObject } from "../parse-object.ts";

function object(): Uint8Array {
  return new Uint8Array(readFileSync(new URL("../../test-objects/legacy.bpf.o", import.meta.url)));
}

function section(bytes: Uint8Array, wanted: string): DataView {
  const found = readElf(bytes).sections.find(({ name }) => name === wanted)?.bytes;
  if (found === undefined) throw new Error(`no section ${wanted}`);
  return new DataView(found.buffer, found.byteOffset, found.byteLength);
}

/** As objects of then were; BTF would be the first to contradict what the tests change. */
function withoutBtf(): Uint8Array {
  const bytes = object();
  const names = section(bytes, ".strtab");
  const text = new TextDecoder("latin1").decode(names);
  names.setUint8(text.indexOf(".BTF\0") + 1, "X".charCodeAt(0));
  return bytes;
}

describe("maps from before BTF", () => {
  it("are read from their definitions, several to a section", () => {
    const { maps, programs } = parseObject(object());
    expect([...maps.keys()].sort()).toEqual(["counters", "longer", "totals"]);
    expect(maps.get("counters")).toMatchObject({
      type: MapType.HASH,
      keySize: 4,
      valueSize: 8,
      maxEntries: 16,
      flags: 1,
      pinning: "none",
      keyTypeId: 0,
      valueTypeId: 0,
    });
    expect(maps.get("longer")).toMatchObject({ type: MapType.ARRAY, maxEntries: 2, flags: 0 });
    const references = programs.get("count")?.mapReferences.map(({ map, valueOffset }) => [map, valueOffset]);
    expect(references).toEqual([
      ["totals", undefined],
      ["counters", undefined],
      ["longer", undefined],
    ]);
  });

  it("may have longer definitions, if nothing unknown is set", () => {
    const bytes = object();
    section(bytes, "maps/longer").setUint32(24, 1, true);
    expect(() => parseObject(bytes)).toThrow(
      'section "maps/longer" at byte 24: map "longer": its definition goes on with fields that are not known here',
    );
  });

  it("lie where their definitions begin", () => {
    const bytes = withoutBtf();
    const symbols = section(bytes, ".symtab");
    const { index } = readElf(bytes).symbols.find(({ name }) => name === "totals") ?? { index: 0 };
    symbols.setBigUint64(index * 24 + 8, 16n, true);
    expect(() => parseObject(bytes)).toThrow('section "maps" at byte 16: map "totals" does not lie where a definition');
  });
});

describe("the kernel version of an object", () => {
  it("has four bytes", () => {
    expect(parseObject(object()).programs.get("count")?.kernelVersion).toBe(0x060102);
    const bytes = withoutBtf();
    const headers = new DataView(bytes.buffer);
    const { index } = readElf(bytes).sections.find(({ name }) => name === "version") ?? { index: 0 };
    headers.setBigUint64(Number(headers.getBigUint64(40, true)) + index * 64 + 32, 2n, true);
    // Its variable would go on beyond its end.
    const { index: variable } = readElf(object()).symbols.find(({ name }) => name === "_version") ?? { index: 0 };
    const table = readElf(object()).sections.find(({ name }) => name === ".symtab")?.bytes.byteOffset ?? 0;
    headers.setBigUint64(table + variable * 24 + 16, 2n, true);
    expect(() => parseObject(bytes)).toThrow(MalformedError);
    expect(() => parseObject(bytes)).toThrow('section "version" at byte 0: it has 2 bytes, a kernel version has 4');
  });
});
