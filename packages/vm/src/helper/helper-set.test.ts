// SPDX-License-Identifier: Apache-2.0

import { BtfBuilder, BtfKind, helperName, readBtf } from "@skep/ebpf";
import { describe, expect, test } from "vitest";
import { VmMemory } from "../memory/vm-memory.ts";
import type { Helper } from "./helper.ts";
import { HelperSet, type HostHelper } from "./helper-set.ts";
import { meaninglessHelpers } from "./helper-table.ts";
import { runtimeHelperFunctions } from "./runtime-helpers.ts";
import { standardHelpers } from "./standard-helpers.ts";
import { nobody } from "./task-helpers.ts";
import { platformClock } from "./time-helpers.ts";
import { TimerSet } from "./timer-set.ts";

const memory = new VmMemory({ size: 1 << 19, addressBits: 32, shared: false, regions: true });
const calls = { map: () => 0, helper: () => 0 };
const timers = new TimerSet({ memory, clock: platformClock, calls, failed: () => undefined });
const standard = standardHelpers({ memory, clock: platformClock, task: nobody, trace: () => undefined, calls, timers });

const call = () => 7;
const log: HostHelper = { name: "host_log", parameters: [{ readSized: 1 }, "u32"], result: "void", call };

const builder = new BtfBuilder();
const int = builder.add({
  kind: BtfKind.INT,
  name: "int",
  size: 4,
  bits: 32,
  bitOffset: 0,
  signed: true,
  char: false,
  bool: false,
});
const proto = builder.add({
  kind: BtfKind.FUNC_PROTO,
  name: "",
  returns: int,
  parameters: [{ name: "a", type: int }],
});
const btf = readBtf(builder.build());

describe("the standard helpers", () => {
  test("have the kernel's names, and a meaning", () => {
    for (const { id, name } of standard) expect([id, name]).toEqual([id, helperName(id)]);
    const elsewhere = new Set([...meaninglessHelpers, ...runtimeHelperFunctions().keys()]);
    expect(standard.filter(({ id }) => elsewhere.has(id))).toEqual([]);
  });
});

describe("HelperSet", () => {
  test("finds the engine's and the host's", () => {
    const set = new HelperSet(standard, [
      { ...log, id: 0x1000 },
      { name: "by_name", call },
    ]);
    expect(set.byNumber(5)?.name).toBe("ktime_get_ns");
    expect(set.byNumber(0x1000)).toMatchObject({ id: 0x1000, name: "host_log", parameters: log.parameters });
    expect(set.byName("by_name", btf, proto)).toMatchObject({
      name: "by_name",
      parameters: ["i32"],
      result: "i32",
      call,
    });
    expect(set.byName("other", btf, proto)).toBeUndefined();
    expect(set.names).toEqual(["host_log", "by_name"]);
  });

  test("says why a number cannot be called", () => {
    const set = new HelperSet(standard, [{ ...log, id: 0x1000 }]);
    const nowhere = () => false;
    expect(set.problem(5, nowhere)).toBeUndefined();
    expect(set.problem(0x1000, nowhere)).toBeUndefined();
    expect(set.problem(1, (id) => id === 1)).toBeUndefined();
    expect(set.problem(1, nowhere)).toBe("the engine has no bpf_map_lookup_elem");
    expect(set.problem(58, nowhere)).toContain("bpf_override_return has no meaning without a kernel");
    expect(set.problem(0x1001, nowhere)).toBe("no kernel has a helper of number 4097, and the host has none");
  });

  test.each<[string, readonly HostHelper[]]>([
    ['helper "host_log": its name is taken', [log, log]],
    [
      'helper "other": number 4096 is taken by "host_log"',
      [
        { ...log, id: 0x1000 },
        { ...log, name: "other", id: 0x1000 },
      ],
    ],
    ['host function "host_log" has number 5; wanted is one from 4096 on', [{ ...log, id: 5 }]],
    ['host function "host_log" has number 4096.5', [{ ...log, id: 4096.5 }]],
    ['host function "host_log" has number 4096, but no parameters', [{ name: "host_log", id: 0x1000, call }]],
    ['helper "a-b": the name is no identifier of C', [{ ...log, name: "a-b" }]],
    ['helper "x": it has 6 parameters', [{ name: "x", parameters: Array<"u32">(6).fill("u32"), call }]],
    ['helper "x": parameter 1 is memory of 0 bytes', [{ name: "x", parameters: [{ read: 0 }], call }]],
    ['helper "x": parameter 1 is memory of 1.5 bytes', [{ name: "x", parameters: [{ write: 1.5 }], call }]],
    [
      "the size of parameter 1 is parameter 3, which is not there",
      [{ name: "x", parameters: [{ readSized: 2 }, "u32"], call }],
    ],
    [
      "the size of parameter 1 is parameter 1, which is neither",
      [{ name: "x", parameters: [{ writeSized: 0 }], call }],
    ],
    [
      "the size of parameter 1 is parameter 2, which is neither",
      [{ name: "x", parameters: [{ readSized: 1 }, "bigint"], call }],
    ],
  ])("refuses: %s", (message, host) => {
    expect(() => new HelperSet([], host)).toThrow(expect.objectContaining({ code: "ERR_INVALID_VALUE" }));
    expect(() => new HelperSet([], host)).toThrow(message);
  });

  test("refuses two helpers of a number among the engine's own, and a declaration that does not fit", () => {
    const helper: Helper = { id: 1, name: "one", parameters: [], result: "void", call };
    expect(() => new HelperSet([helper, { ...helper, name: "two" }])).toThrow('number 1 is taken by "one"');
    const set = new HelperSet([], [log]);
    expect(() => set.byName("host_log", btf, proto)).toThrow("the object declares 1 parameters, the host has 2");
  });
});
