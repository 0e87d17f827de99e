// SPDX-License-Identifier: Apache-2.0

import { ProgramType } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { ipv4Frame } from "../../run/run-room.test-kit.ts";
import { VmEngine } from "../../vm-engine.ts";
import { VmFault } from "../../vm-fault.ts";
import { vmProgram } from "./assembly.test-kit.ts";

const { XDP, SCHED_CLS } = ProgramType;

/** Calls a helper, then writes a byte at an offset from the packet's beginning or its end, wherever these are then. */
function touching(type: number, call: string, from: "data" | "data_end", offset: number): string {
  const field = { data: type === XDP ? 0 : 76, data_end: type === XDP ? 4 : 80 }[from];
  return `
    mov %r6, %r1
    ${call}
    ldxw %r7, [%r6+${field}]
    stb [%r7${offset < 0 ? offset : `+${offset}`}], 9
    mov %r0, 1
    exit`;
}

const longer = "mov %r2, 100\ncall bpf_xdp_adjust_tail";
const shorter = "mov %r2, -20\ncall bpf_xdp_adjust_tail";
const earlier = "mov %r2, -40\ncall bpf_xdp_adjust_head";
const later = "mov %r2, 40\ncall bpf_xdp_adjust_head";
const head = "mov %r2, 300\nmov %r3, 0\ncall bpf_skb_change_head";
const tail = "mov %r2, 20\nmov %r3, 0\ncall bpf_skb_change_tail";

describe("a packet that a helper moved is open to its bounds", () => {
  it.for([
    [XDP, longer, "data_end", -1, true],
    [XDP, longer, "data_end", 0, false],
    [XDP, shorter, "data_end", -1, true],
    [XDP, shorter, "data_end", 0, false],
    [XDP, earlier, "data", 0, true],
    [XDP, earlier, "data", -8, false],
    [XDP, later, "data", 0, true],
    [XDP, later, "data", -8, false],
    [SCHED_CLS, head, "data", 0, true],
    [SCHED_CLS, head, "data_end", 0, false],
    [SCHED_CLS, tail, "data_end", -1, true],
    [SCHED_CLS, tail, "data_end", 0, false],
  ] as const)("%s, %s, %s%s", ([type, call, from, offset, open]) => {
    using engine = new VmEngine({ memory: 1 << 23 });
    using program = vmProgram(engine, { type, text: touching(type, call, from, offset) });
    const run = (): number => program.run({ data: ipv4Frame }).returned;
    if (open) expect(run()).toBe(1);
    else expect(run).toThrow(VmFault);
    // What a run left open or closed is the next one's no longer.
    using plain = vmProgram(engine, { type, text: touching(type, "", "data_end", -1) });
    expect(plain.run({ data: ipv4Frame }).returned).toBe(1);
    using beyond = vmProgram(engine, { type, text: touching(type, "", "data_end", 0) });
    expect(() => beyond.run({ data: ipv4Frame })).toThrow(VmFault);
  });

  it("is the run's own, whatever a program writes into the context of another", () => {
    using engine = new VmEngine({ memory: 1 << 23, regions: false });
    // data_end is overwritten; the helper goes by what it knows.
    const text = `
      mov %r6, %r1
      mov %r7, %r1
      add %r7, 4
      mov %r8, %r10
      sub %r8, %r7
      add %r7, %r8
      sub %r7, %r8
      stw [%r7+0], 0x7fffffff
      mov %r1, %r6
      mov %r2, 60
      mov %r3, %r10
      add %r3, -8
      mov %r4, 8
      call bpf_xdp_load_bytes
      exit`;
    using program = vmProgram(engine, { type: XDP, text });
    expect(program.run({ data: ipv4Frame }).returned | 0).toBe(-22);
  });

  it("is refused to helpers that write to memory that is not the program's", () => {
    using engine = new VmEngine({ memory: 1 << 23 });
    const text = "mov %r2, 0\nlddw %r3, 0x20000\nmov %r4, 8\ncall bpf_xdp_load_bytes\nexit";
    using program = vmProgram(engine, { type: XDP, text });
    expect(() => program.run({ data: ipv4Frame })).toThrow(VmFault);
  });

  it("cannot be had by programs of other types", () => {
    using engine = new VmEngine({ memory: 1 << 23 });
    const text = "mov %r2, 0\ncall bpf_xdp_adjust_head\nexit";
    expect(() => vmProgram(engine, { type: SCHED_CLS, text })).toThrow(
      "bpf_xdp_adjust_head is not for programs of type sched_cls",
    );
  });
});
