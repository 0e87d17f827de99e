// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { CollectionSpec } from "../collection-spec.ts";
import { readElf } from "../elf/read-elf.ts";
import { InvalidValueError, MalformedError, NotFoundError } from "../errors.ts";
import { MapType } from "../map-type.ts";
import { parseObject } from "../parse-object.ts";
import type { StructOpsSpec } from "../struct-ops-spec.ts";

const BPF_F_LINK = 1 << 13;

const object = (): Uint8Array =>
  new Uint8Array(readFileSync(new URL("../../test-objects/struct-ops.bpf.o", import.meta.url)));

function structOpsOf(spec: CollectionSpec, name: string): StructOpsSpec {
  const found = spec.maps.get(name)?.structOps;
  if (found === undefined) throw new Error(`no struct_ops ${name}`);
  return found;
}

describe("struct_ops of an object", () => {
  const spec = parseObject(object());

  it.each([
    ["linked", true, false, [["first", "one"]]],
    [
      "linked_too",
      true,
      false,
      [
        ["first", "one"],
        ["second", "two"],
      ],
    ],
    ["plain", false, false, [["second", "two"]]],
    ["optional", false, true, []],
  ] as const)("%s is a map with its programs", (name, link, optional, programs) => {
    const map = spec.maps.get(name);
    expect(map).toMatchObject({ type: MapType.STRUCT_OPS, keySize: 4, maxEntries: 1, flags: link ? BPF_F_LINK : 0 });
    const structOps = structOpsOf(spec, name);
    expect(structOps).toMatchObject({ link, optional, typeName: "the_ops" });
    expect([...structOps.programs]).toEqual(programs);
  });

  it("names the members that programs are for", () => {
    expect(spec.programs.get("one")?.attachTo).toBe("the_ops:first");
    expect(spec.programs.get("two")?.attachTo).toBe("the_ops:second");
  });

  it("reads and sets members that are data", () => {
    const fresh = parseObject(object());
    const linked = structOpsOf(fresh, "linked");
    expect([linked.get("name"), linked.get("weight")]).toEqual(["linked", 7]);
    linked.set("weight", 9);
    expect(linked.get("weight")).toBe(9);
    expect(structOpsOf(fresh, "linked_too").get("weight")).toBe(0);
    expect(() => linked.set("weight", -1)).toThrow('struct_ops "linked", member "weight":');
    expect(linked.get("weight")).toBe(9);
    expect(() => linked.set("wieght", 1)).toThrow(NotFoundError);
    expect(() => linked.set("first", "two")).toThrow("put a program's name into `programs`");
    expect(() => linked.set("low", 1)).toThrow(InvalidValueError);
  });

  it("has names of sections that every kernel takes in its types", () => {
    const { btf } = spec;
    const sections = readElf(object()).sections.map(({ name }) => name);
    expect(sections).toContain("?.struct_ops");
    expect(btf?.idsByName("_.struct_ops")).toHaveLength(1);
  });

  it("refuses an address in the place of data, and of no program", () => {
    const elf = readElf(object());
    const section = elf.sections.find(({ name }) => name === ".struct_ops");
    const relocations = elf.sections.find(({ name }) => name === ".rel.struct_ops");
    if (section === undefined || relocations === undefined) throw new Error("no such sections");
    const changed = (offset: number): Uint8Array => {
      const bytes = object();
      new DataView(bytes.buffer).setBigUint64(relocations.bytes.byteOffset, BigInt(offset), true);
      return bytes;
    };
    // In place of `data`, a pointer that is no function, and in the middle of another.
    for (const offset of [24, 33]) {
      expect(() => parseObject(changed(offset))).toThrow(MalformedError);
      expect(() => parseObject(changed(offset))).toThrow("is not a program's in a member for one");
    }
    expect(structOpsOf(parseObject(changed(16)), "plain").programs.get("first")).toBe("two");
  });
});
