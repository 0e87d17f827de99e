// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { type Collection, load, parseObject } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { VmEngine } from "../vm-engine.ts";
import { VmFault } from "../vm-fault.ts";

const spec = parseObject(readFileSync(new URL("../../test-objects/map-hostile.bpf.o", import.meta.url)));
const packet = { data: new Uint8Array(64) };

function runProgram(collection: Collection, name: string): number {
  return collection.program(name).program.run?.(packet).returned ?? -1;
}

/** With regions a program is confined to what it was given; without, only what leads nowhere is noticed. */
const confined = [
  "submit_middle",
  "submit_stack",
  "write_after_submit",
  "write_header",
  "change_key",
  "write_before_value",
];
const always = ["submit_twice", "submit_to_array", "submit_wild", "wild_key", "wild_value", "wild_map", "keep_record"];

describe.each([
  ["64-bit addresses", 64],
  ["32-bit addresses", 32],
] as const)("with %s", (_, addressBits) => {
  it.each([...confined, "write_past_array", ...always])("%s ends the run, and the maps go on", (name) => {
    using engine = new VmEngine({ memory: 16 << 20, addressBits });
    using collection = load(spec, { engine });
    expect(() => runProgram(collection, name)).toThrow(VmFault);
    using reader = collection.map("ring").records();
    reader.poll();
    expect(runProgram(collection, "send")).toBe(0);
    expect(reader.poll()?.count).toBe(1);
    const hash = collection.map<number, bigint>("hash");
    for (let key = 2; key < 5; key++) hash.update(key, BigInt(key));
    expect(hash.lookup(4)).toBe(4n);
    expect([...hash.keys()].filter((key) => key !== 1).sort()).toEqual([2, 3, 4]);
  });

  it.each(always)("%s ends the run without regions too", (name) => {
    using engine = new VmEngine({ memory: 16 << 20, addressBits, regions: false });
    using collection = load(spec, { engine });
    expect(() => runProgram(collection, name)).toThrow(VmFault);
    using reader = collection.map("ring").records();
    reader.poll();
    expect(runProgram(collection, "send")).toBe(0);
    expect(reader.poll()?.count).toBe(1);
  });
});
