// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load, parseObject } from "@skep/ebpf";
import { expect, test } from "vitest";
import { VmEngine } from "../vm-engine.ts";
import { nobody } from "./task-helpers.ts";

const object = join(import.meta.dirname, "../../test-objects/storage-programs.bpf.o");

test("a program has a value for each task, until it is deleted", () => {
  const task = { ...nobody, address: 0 };
  using engine = new VmEngine({ memory: 1 << 22, task });
  using app = load(parseObject(readFileSync(object)), { engine });
  const run = (name: string, address: number): number => {
    task.address = address;
    return app.program(name).run({ context: new Uint8Array(8) }).returned | 0;
  };
  expect([run("count", 0x100), run("count", 0x100), run("count", 0x200), run("count", 0x100)]).toEqual([1, 2, 1, 3]);
  expect(run("count", 0)).toBe(0);
  expect([...app.map<number, bigint>("storage").entries()].sort()).toEqual([
    [0x100, 3n],
    [0x200, 1n],
  ]);
  expect([run("forget", 0x100), run("forget", 0x100), run("forget", 0)]).toEqual([0, -2, -22]);
  expect(run("count", 0x100)).toBe(1);
});
