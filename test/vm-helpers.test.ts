// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Collection, type CollectionSpec, type Engine, load, parseObject } from "@skep/ebpf";
import { KernelEngine } from "@skep/kernel";
import { VmEngine } from "@skep/vm";
import { describe, expect, test } from "vitest";

const object = join(import.meta.dirname, "../packages/vm/test-objects/helper-programs.bpf.o");
const spec = (): CollectionSpec => parseObject(readFileSync(object));

/** `struct result` of the object: what a helper returned, and 104 bytes that it wrote. */
const RESULT_BYTES = 112;

function results(app: Collection): string[] {
  const map = app.map(".bss");
  const bytes = new Uint8Array(map.rawValueSize);
  map.lookupRaw(new Uint8Array(4), bytes);
  map.updateRaw(new Uint8Array(4), new Uint8Array(bytes.length));
  return Array.from({ length: bytes.length / RESULT_BYTES }, (_, i) => {
    const result = bytes.subarray(i * RESULT_BYTES, (i + 1) * RESULT_BYTES);
    const returned = new DataView(result.buffer, result.byteOffset).getBigInt64(0, true);
    return `${returned} ${Buffer.from(result.subarray(8)).toString("latin1").replace(/\0+$/, "")}`;
  });
}

/** What each program of the object leaves, one after another. */
function runAll(app: Collection, programs: readonly string[]): Record<string, string[]> {
  return Object.fromEntries(
    programs.map((name) => {
      expect(app.program(name).run({ context: new Uint8Array(8) }).returned).toBe(0);
      return [name, results(app)];
    }),
  );
}

/** The calls and the sum of the keys that a timer's callback has seen. */
function bells(app: Collection, map: string, key: number): number[] {
  const value = new Uint8Array(32);
  app.map(map).lookupRaw(Uint8Array.of(key, 0, 0, 0), value);
  return [...new BigUint64Array(value.buffer, 16, 2)].map(Number);
}

const programs = ["print", "parse", "read", "loop", "dynptr", "timer", "gone", "lock", "lock"];
const modes = [
  ["64-bit addresses", { addressBits: 64 }],
  ["32-bit addresses", { addressBits: 32 }],
  ["no regions and no fuel", { regions: false, fuel: false }],
] as const;

describe("helpers without a kernel", () => {
  test.each(modes)("give what the kernel's give, with %s", async (_, options) => {
    const run = async (engine: Engine) => {
      using app = load(spec(), { engine });
      const given = runAll(app, programs);
      await sleep(20);
      return { given, array: bells(app, "timed_array", 2), hash: bells(app, "timed_hash", 7) };
    };
    using kernel = new KernelEngine();
    using vm = new VmEngine({ memory: 1 << 22, ...options });
    const wanted = await run(kernel);
    expect(wanted.given["print"]?.[0]).toBe("39 -1 2147483647 4294967295 abcdef ABCDEF");
    expect(wanted).toMatchObject({ array: [1, 2], hash: [1, 7] });
    expect(await run(vm)).toEqual(wanted);
  });
});
