// SPDX-License-Identifier: Apache-2.0

import { expect, it } from "vitest";
import { parseTraceLine } from "./trace-line.ts";

it("takes lines of the trace log apart", () => {
  expect(parseTraceLine("            node-1234    [001] ...11  5678.901234: bpf_trace_printk: a: b-1 [2]")).toEqual({
    task: "node",
    pid: 1234,
    cpu: 1,
    text: "a: b-1 [2]",
  });
  expect(parseTraceLine("   kworker/0:1-12      (     12) [000] d.s.. 1.5: bpf_trace_printk: x")).toMatchObject({
    task: "kworker/0:1",
    pid: 12,
    text: "x",
  });
  expect(parseTraceLine("CPU:1 [LOST 5 EVENTS]")).toMatchObject({ task: "", text: "CPU:1 [LOST 5 EVENTS]" });
});
