// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { perfEventOptions } from "./perf-event-source.ts";

describe("the event of a perf event", () => {
  // Numbers of include/uapi/linux/perf_event.h and hw_breakpoint.h.
  it.each([
    ["software:cpu-clock", { type: 1, config: 0 }],
    ["software:cgroup-switches", { type: 1, config: 11 }],
    ["hardware:cpu-cycles", { type: 0, config: 0 }],
    ["hardware:ref-cycles", { type: 0, config: 9 }],
    ["hw-cache:l1d:read:miss", { type: 3, config: 0x10000 }],
    ["hw-cache:ll:write", { type: 3, config: 0x102 }],
    ["hw-cache:node:prefetch:access", { type: 3, config: 0x206 }],
    ["raw:0x1a8", { type: 4, config: 0x1a8n }],
    ["raw:18446744073709551615", { type: 4, config: 2n ** 64n - 1n }],
    ["breakpoint:0x7f001234/4:rw", { type: 5, config: 0, breakpoint: { address: 0x7f001234n, length: 4, access: 3 } }],
    ["breakpoint:4096/1:w", { type: 5, config: 0, breakpoint: { address: 4096n, length: 1, access: 2 } }],
    ["breakpoint:0x1000", { type: 5, config: 0, breakpoint: { address: 4096n, length: 4, access: 3 } }],
    ["breakpoint:0x1000:x", { type: 5, config: 0, breakpoint: { address: 4096n, length: 8, access: 4 } }],
  ])("%s", (event, wanted) => {
    expect(perfEventOptions({ event, period: 7 })).toEqual({ ...wanted, object: `perf event "${event}"`, period: 7 });
  });

  it.each([
    ["software:no-such", "there are software:cpu-clock"],
    ["software:cpu-clock:x", "is unknown"],
    ["nothing", "hw-cache:CACHE:OPERATION:RESULT, raw:NUMBER and breakpoint:ADDRESS/LENGTH:ACCESS"],
    ["hw-cache:l4:read:miss", "hw-cache is followed by l1d or l1i or ll"],
    ["hw-cache:l1d:read:miss:x", "hw-cache is followed by"],
    ["raw:", "the processor's number is wanted"],
    ["raw:0x10000000000000000", "the processor's number is wanted"],
    ["breakpoint:0x1000/3:w", "a length of 1, 2, 4 or 8"],
    ["breakpoint:0x1000/4:q", "r, w, rw or x"],
    ["breakpoint:main", "wanted is an address"],
  ])("%s is refused", (event, words) => {
    expect(() => perfEventOptions({ event, period: 1 })).toThrow(words);
  });
});
