// SPDX-License-Identifier: Apache-2.0

import { expect, it } from "vitest";
import { ProgramType } from "./program-type.ts";
import { letsThrough, verdictName, verdictNames } from "./verdict.ts";

it("has the names of each type", () => {
  expect(verdictName(ProgramType.XDP, 1)).toBe("XDP_DROP");
  expect(verdictName(ProgramType.XDP, 5)).toBe("5");
  expect(verdictName(ProgramType.SCHED_CLS, 0xffff_ffff)).toBe("TC_ACT_UNSPEC");
  expect(verdictName(ProgramType.SCHED_CLS, 2)).toBe("TC_ACT_SHOT");
  expect(verdictName(ProgramType.SK_LOOKUP, 0)).toBe("SK_DROP");
  expect(verdictName(ProgramType.LWT_XMIT, 128)).toBe("BPF_LWT_REROUTE");
  expect(verdictName(ProgramType.CGROUP_SKB, 1)).toBe("1");
  expect(verdictName(ProgramType.SYSCALL, 0xffff_ffff)).toBe("4294967295");
  expect(verdictNames(ProgramType.FLOW_DISSECTOR)).toEqual(["BPF_OK", "BPF_DROP", "BPF_FLOW_DISSECTOR_CONTINUE"]);
  expect(verdictNames(ProgramType.SOCKET_FILTER)).toEqual([]);
});

it("tells which packets go on", () => {
  const passing = (type: ProgramType): number[] =>
    [0, 1, 2, 3, 4, 7, 0xffff_ffff].filter((value) => letsThrough(type, value));
  expect(passing(ProgramType.XDP)).toEqual([2, 3, 4]);
  expect(passing(ProgramType.SCHED_CLS)).toEqual([0, 1, 3, 7, 0xffff_ffff]);
  expect(passing(ProgramType.CGROUP_SKB)).toEqual([1, 3, 7, 0xffff_ffff]);
  expect(passing(ProgramType.SK_SKB)).toEqual([1]);
  expect(passing(ProgramType.LWT_IN)).toEqual([0, 1, 3, 4, 7, 0xffff_ffff]);
  expect(passing(ProgramType.SOCKET_FILTER)).toEqual([1, 2, 3, 4, 7, 0xffff_ffff]);
  expect(passing(ProgramType.NETFILTER)).toEqual([1]);
  expect(passing(ProgramType.TRACEPOINT)).toHaveLength(7);
});
