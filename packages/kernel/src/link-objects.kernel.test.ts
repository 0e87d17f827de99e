// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { linkObjects, load, parseObject } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { KernelEngine } from "./kernel-engine.ts";
import { KernelProgram } from "./kernel-program.ts";

const linked = linkObjects(
  ["join-one", "join-two"].map((name) => ({
    name,
    bytes: new Uint8Array(readFileSync(new URL(`../../ebpf/test-objects/${name}.bpf.o`, import.meta.url))),
  })),
);

describe("an object that linkObjects made", () => {
  it("runs in the kernel, calling functions and reading variables of the other object", () => {
    using collection = load(parseObject(linked), { engine: new KernelEngine() });
    const run = (name: string): number => {
      const program = collection.program(name).program;
      if (!(program instanceof KernelProgram)) throw new Error(`program ${name} is not the kernel's`);
      return program.run({ data: new Uint8Array(64) }).returned;
    };
    // Socket filters see the packet without its Ethernet header of 14 bytes: 50.
    const scaled = 50 * 1_000_000 + 5 + (3 + 1001);
    const rest = 2 + 101 + 2 + 10 + 6 + 20 + 300 + 4000 + 3 + 7 + 50_000;
    expect(run("sum")).toBe(scaled + rest);
    expect(run("sum_there")).toBe(7 + 2);
    expect(run("count")).toBe(0);
    expect(collection.map<number, bigint>("counts").lookup(1)).toBe(11n);
    expect(collection.variable("zeroes").get()).toEqual([0, 1, 0]);
  });
});
