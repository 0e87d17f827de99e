// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Collection, load, parseObject } from "@skep/ebpf";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { VmEngine } from "../vm-engine.ts";
import { VmFault } from "../vm-fault.ts";

const object = join(import.meta.dirname, "../../test-objects/callback-programs.bpf.o");
const FUEL = 20_000;
const failures: unknown[] = [];
let engine: VmEngine;
let app: Collection;

beforeEach(() => {
  engine = new VmEngine({
    memory: 1 << 22,
    fuel: FUEL,
    timerFailed: (error) => failures.push(error),
    helpers: [
      {
        name: "host_sum",
        parameterNames: ["data", "data__sz"],
        call: (_frame, data: Uint8Array) => data.reduce((sum, byte) => sum + byte, 0),
      },
    ],
  });
  app = load(parseObject(readFileSync(object)), { engine });
});

afterEach(() => {
  app.close();
  engine.close();
  failures.length = 0;
});

function run(program: string): number {
  return app.program(program).run({ context: new Uint8Array(8) }).returned;
}

function count(key: number): bigint {
  const value = new Uint8Array(24);
  app.map("timers").lookupRaw(Uint8Array.of(key, 0, 0, 0), value);
  return new DataView(value.buffer).getBigUint64(16, true);
}

describe("callbacks of timers", () => {
  test("have the fuel of a run, each", async () => {
    expect(run("start_work")).toBe(0);
    await expect.poll(() => Number(count(0))).toBeGreaterThan(2 * FUEL);
    expect(failures).toEqual([]);
  });

  test("that fault say where, and harm nobody", async () => {
    expect(run("start_stray")).toBe(0);
    await expect.poll(() => failures.length).toBe(1);
    expect(count(1)).toBe(1n);
    expect(failures[0]).toBeInstanceOf(VmFault);
    expect(failures[0]).toMatchObject({ program: "start_stray", source: { text: "*(volatile __u32 *)16 = 0;" } });
    expect(run("count_locked")).toBe(1);
  });
});

describe("locks", () => {
  test("open when the run ends, however it ends", () => {
    expect(run("count_locked")).toBe(1);
    expect(() => run("stray_locked")).toThrow("wrote 4 bytes at 0x10");
    expect(run("count_locked")).toBe(2);
    expect(run("stay_locked")).toBe(2);
    expect(run("count_locked")).toBe(3);
    expect(() => run("lock_twice")).toThrow("while it holds the one at");
    expect(run("count_locked")).toBe(4);
  });
});

describe("functions of the host", () => {
  test("are called by name, with memory as bytes", () => {
    expect(run("call_host")).toBe(10);
  });

  test("that are weak and absent fault when they are called", () => {
    expect(() => run("call_absent")).toThrow(
      /program "call_absent", instruction 1 \(.*\): called host_absent, which the host does not have/,
    );
  });
});
