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
  const text = "user-7    [000] ...11  1.5: bpf_trace_printk: root-1    [000] ...11  1.5: bpf_trace_printk: forged";
  expect(parseTraceLine(text)).toMatchObject({ task: "user", pid: 7, text: text.slice(text.indexOf("root")) });
  expect(parseTraceLine("a-1 [0] d 1.0:-9 [001] ...11 2.5: bpf_trace_printk: x")).toMatchObject({ pid: 9, cpu: 1 });
  expect(parseTraceLine("CPU:1 [LOST 5 EVENTS]")).toMatchObject({ task: "", text: "CPU:1 [LOST 5 EVENTS]" });
});
