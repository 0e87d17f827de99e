// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { objectName } from "./object-name.ts";
import { perfEventOptions } from "./perf-event-source.ts";
import { encodeFunctionInfo, encodeLineInfo } from "./program-infos.ts";

describe("names in the kernel", () => {
  it("have at most 15 of the allowed characters", () => {
    expect(objectName("a-much.too_long name")).toBe("amuch.too_longn");
    expect(objectName("äöü")).toBe("");
    expect(objectName(".rodata")).toBe(".rodata");
  });
});

describe("perf events", () => {
  it("are known by their names", () => {
    expect(perfEventOptions({ event: "software:cpu-clock", frequency: 99 })).toMatchObject({
      type: 1,
      config: 0,
      frequency: 99,
    });
    expect(perfEventOptions({ event: "hardware:branch-misses", period: 5 })).toMatchObject({
      type: 0,
      config: 5,
      period: 5,
    });
  });
});

describe("func_info and line_info", () => {
  it("are laid out as the kernel's structures", () => {
    expect([...encodeFunctionInfo([{ instruction: 3, typeId: 260 }])]).toEqual([3, 0, 0, 0, 4, 1, 0, 0]);
    const line = { instruction: 1, fileNameOffset: 2, lineOffset: 3, lineColumn: 4 << 10 };
    expect([...encodeLineInfo([line, line])].slice(16)).toEqual([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 16, 0, 0]);
  });
});
