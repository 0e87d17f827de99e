// SPDX-License-Identifier: Apache-2.0

import { SkepError } from "@skep/ebpf";
import { describe, expect, test } from "vitest";
import { VmMemory } from "./memory/vm-memory.ts";
import { accessFault, VmFault } from "./vm-fault.ts";

const source = { file: "src/prog.bpf.c", line: 17, column: 5, text: "*p = 1" };

describe("VmFault", () => {
  test("says where and what", () => {
    const cause = new Error("why");
    const place = { program: "count", instruction: 41, source };
    const fault = new VmFault("memory", "wrote 4 bytes at 0x0, where there is no memory", { address: 0, cause }).at(
      place,
    );
    expect(fault).toBeInstanceOf(SkepError);
    expect(fault.message).toBe(
      'program "count", instruction 41 (prog.bpf.c:17: *p = 1): wrote 4 bytes at 0x0, where there is no memory',
    );
    expect(fault).toMatchObject({
      code: "ERR_VM_FAULT",
      name: "VmFault",
      reason: "memory",
      address: 0,
      cause,
      ...place,
    });
  });

  test("says less when less is known", () => {
    const at = (place: ConstructorParameters<typeof VmFault>[2]) => new VmFault("fuel", "no fuel", place).message;
    expect(at({})).toBe("no fuel");
    expect(at({ place: { program: "x", instruction: undefined, source: undefined } })).toBe('program "x": no fuel');
    expect(at({ place: { program: "x", instruction: 3, source: { ...source, text: "" } } })).toBe(
      'program "x", instruction 3 (prog.bpf.c:17): no fuel',
    );
    const textOnly = { file: undefined, line: undefined, column: undefined, text: "f()" };
    expect(at({ place: { program: "x", instruction: 3, source: textOnly } })).toBe(
      'program "x", instruction 3 (f()): no fuel',
    );
  });

  test("keeps the place that it has", () => {
    const inner = new VmFault("call", "no function", { place: { program: "a", instruction: 1, source: undefined } });
    expect(inner.at({ program: "b", instruction: 2, source: undefined })).toBe(inner);
  });
});

describe("accessFault", () => {
  const memory = new VmMemory({ size: 1 << 19, addressBits: 32, shared: false, regions: true });
  const open = memory.allocate(16);
  memory.setRegion(open, 8, "write");
  memory.setRegion(open + 8, 8, "read");

  test("tells no memory from memory of others", () => {
    const messages = [
      accessFault(memory, "write", 0, 4),
      accessFault(memory, "read", 2n ** 64n - 1n, 1),
      accessFault(memory, "write", 0x10000 + (1 << 19) - 1, 2),
      accessFault(memory, "write", open + 8, 2),
      accessFault(memory, "read", open + 16, 8),
    ].map(({ reason, message }) => [reason, message.replace(/0x[0-9a-f]+/, "AT")]);
    expect(messages).toEqual([
      ["memory", "wrote 4 bytes at AT, where there is no memory"],
      ["memory", "read 1 byte at AT, where there is no memory"],
      ["memory", "wrote 2 bytes at AT, where there is no memory"],
      ["region", "wrote 2 bytes at AT, which the program may only read"],
      ["region", "read 8 bytes at AT, which the program may not touch"],
    ]);
    expect(accessFault(memory, "read", 2n ** 64n - 1n, 1).message).toContain("0xffffffffffffffff");
  });
});
