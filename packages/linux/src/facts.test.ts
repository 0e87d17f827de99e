// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { clockOffset, monotonicTime } from "./clock.ts";
import { onlineCpus, parseCpuList, possibleCpus } from "./cpus.ts";
import { parseCapabilities, processCapabilities } from "./process-capabilities.ts";
import { kernelVersion, pageSize } from "./system.ts";

describe("facts about the machine", () => {
  it("reads a list of CPUs as sysfs writes it", () => {
    expect(parseCpuList("0-3,8,10-11\n")).toEqual([0, 1, 2, 3, 8, 10, 11]);
    expect(parseCpuList("\n")).toEqual([]);
    expect(() => parseCpuList("0-3:2")).toThrow('"0-3:2" is not a list of CPUs');
  });

  it("finds every online CPU among the possible ones", () => {
    expect(onlineCpus().length).toBeGreaterThan(0);
    for (const cpu of onlineCpus()) expect(possibleCpus()).toContain(cpu);
  });

  it("knows the page size", () => {
    expect(pageSize()).toBe(Number(execFileSync("getconf", ["PAGESIZE"], { encoding: "utf8" })));
  });

  it("reads the version from a release", () => {
    expect(kernelVersion("6.12.43+deb13-cloud-amd64")).toEqual([6, 12, 43]);
    expect(kernelVersion("5.15-rc3")).toEqual([5, 15, 0]);
    expect(() => kernelVersion("unknown")).toThrow('kernel release "unknown"');
  });

  it("names the capabilities in a mask", () => {
    expect([...parseCapabilities("000000c000000000")]).toEqual(["CAP_PERFMON", "CAP_BPF"]);
    expect(parseCapabilities("0000000000000000").size).toBe(0);
    expect(parseCapabilities("ffffffffffffffff").size).toBe(41);
    expect(processCapabilities().has("CAP_SYS_ADMIN")).toBe(process.geteuid?.() === 0);
  });

  it("translates the kernel's clock to the wall clock", () => {
    const wall = monotonicTime() + clockOffset();
    expect(Math.abs(Number(wall / 1_000_000n) - Date.now())).toBeLessThan(50);
    const before = process.hrtime.bigint();
    expect(monotonicTime()).toBeGreaterThanOrEqual(before);
  });
});
