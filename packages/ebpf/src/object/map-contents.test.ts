// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readElf } from "../elf/read-elf.ts";
import { MalformedError } from "../errors.ts";
import { parseObject } from "../parse-object.ts";

/** The object with its relocations of `.maps` given to `change`: 16 bytes each, offset, type and symbol. */
function changed(change: (relocations: DataView, symbolOf: (name: string) => number) => void): Uint8Array {
  const bytes = new Uint8Array(readFileSync(new URL("../../test-objects/map-in-map.bpf.o", import.meta.url)));
  const elf = readElf(bytes);
  const section = elf.sections.find(({ name }) => name === ".rel.maps");
  if (section === undefined) throw new Error("no relocations");
  const symbolOf = (name: string): number => elf.symbols.findIndex((symbol) => symbol.name === name);
  change(new DataView(bytes.buffer, section.bytes.byteOffset, section.bytes.length), symbolOf);
  return bytes;
}

describe("what maps hold from the start", () => {
  it("is refused outside of the values of a map", () => {
    const object = changed((relocations) => relocations.setBigUint64(0, 8n, true));
    expect(() => parseObject(object)).toThrow(MalformedError);
    expect(() => parseObject(object)).toThrow(/map "inner": an address outside "values"/);
  });

  it("is refused between two pointers", () => {
    const object = changed((relocations) => relocations.setBigUint64(0, relocations.getBigUint64(0, true) + 4n, true));
    expect(() => parseObject(object)).toThrow(/map "outer": an address outside "values"/);
  });

  it("is refused when it is of the wrong kind", () => {
    const function_ = changed((relocations, symbolOf) => relocations.setUint32(12, symbolOf("target"), true));
    expect(() => parseObject(function_)).toThrow('map "outer" holds maps, "target" is none');
    const map = changed((relocations, symbolOf) =>
      relocations.setUint32(relocations.byteLength - 4, symbolOf("inner"), true),
    );
    expect(() => parseObject(map)).toThrow('map "jumps" holds programs, "inner" is none');
  });
});
