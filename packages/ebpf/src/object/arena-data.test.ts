// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { generate } from "../codegen/generate.ts";
import { readElf } from "../elf/read-elf.ts";
import { MalformedError, NotSupportedError } from "../errors.ts";
import { Instructions, PseudoLoad } from "../instruction.ts";
import { MapType } from "../map-type.ts";
import { parseObject } from "../parse-object.ts";
import { arenaWithData } from "./arena-data.ts";

const bytes = new Uint8Array(readFileSync(new URL("../../test-objects/arena.bpf.o", import.meta.url)));
const spec = parseObject(bytes);

describe("variables in an arena", () => {
  it("are what the object's arena begins with", () => {
    expect([...spec.maps.keys()]).toEqual(["arena"]);
    const arena = spec.maps.get("arena");
    expect(arena).toMatchObject({ type: MapType.ARENA, maxEntries: 16, keySize: 0, valueSize: 0 });
    expect(arena?.data).toMatchObject({ section: ".addr_space.1", readOnly: false });
    const view = new DataView(arena?.data?.contents.buffer ?? new ArrayBuffer(0));
    const at = (name: string): number => spec.variables.get(name)?.offset ?? Number.NaN;
    expect([...spec.variables.values()].map(({ name, map, size }) => [name, map, size])).toEqual([
      ["counter", "arena", 4],
      ["corner", "arena", 8],
      ["zero", "arena", 8],
      ["text", "arena", 5000],
    ]);
    expect(view.getInt32(at("counter"), true)).toBe(5);
    expect(view.getInt32(at("corner") + 4, true)).toBe(4);
  });

  it("are referred to by their places in it", () => {
    const program = spec.programs.get("touch");
    const code = new Instructions(program?.instructions ?? new Uint8Array(), "little");
    const places = program?.mapReferences.map(({ instruction, map, valueOffset }) => {
      expect([code.source(instruction), code.immediate(instruction + 1)]).toEqual([PseudoLoad.MAP_VALUE, valueOffset]);
      return [map, valueOffset];
    });
    const names = ["counter", "corner", "zero", "text"];
    expect(places).toEqual(names.map((name) => ["arena", spec.variables.get(name)?.offset]));
  });

  it("leave the arena among the maps of a generated module", () => {
    expect(generate(bytes, { name: "arena" })).toMatch(/readonly arena: BpfMap</);
  });

  it("need exactly one arena", () => {
    const elf = readElf(bytes);
    const section = elf.sections.find(({ name }) => name === ".addr_space.1");
    const arena = spec.maps.get("arena");
    if (section === undefined || arena === undefined) throw new Error("the object has no arena");
    expect(() => arenaWithData(elf, section, [])).toThrow(MalformedError);
    expect(() => arenaWithData(elf, section, [])).toThrow("need one map of type arena, the object has 0");
    expect(() => arenaWithData(elf, section, [arena, arena])).toThrow("the object has 2");
  });

  it("are not pointers that are initialised", () => {
    const elf = readElf(bytes);
    const section = elf.sections.find(({ name }) => name === ".addr_space.1");
    const relocations = elf.sections.find(({ name }) => name === ".rel.BTF");
    const object = bytes.slice();
    // The relocations of another section, made to be those of the arena: `sh_info` of their header.
    const view = new DataView(object.buffer);
    const headers = Number(view.getBigUint64(40, true));
    view.setUint32(headers + (relocations?.index ?? 0) * 64 + 44, section?.index ?? 0, true);
    expect(() => parseObject(object)).toThrow(NotSupportedError);
    expect(() => parseObject(object)).toThrow('an address in section ".addr_space.1" (a pointer in the arena');
  });
});
