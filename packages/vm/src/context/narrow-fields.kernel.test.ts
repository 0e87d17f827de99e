// SPDX-License-Identifier: Apache-2.0

import { AttachType, ProgramType } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { vmProgram } from "../helper/packet/assembly.test-kit.ts";
import { runInKernel, runInVm } from "../helper/packet/both-engines.test-kit.ts";
import { ipv4Frame } from "../run/run-room.test-kit.ts";
import { VmEngine } from "../vm-engine.ts";

const fields = { queue_mapping: 12, tc_index: 44, tc_classid: 72, mark: 8 };
const numbers = [7, 0xfffe, 0xffff, 0x10000, 0x3567_dfe9, -1];
/** The context as it came, and as it comes back from the stack, where only the run knows what it is. */
const pointers = { known: "mov %r6, %r1", spilled: "stxdw [%r10-8], %r1\nldxdw %r6, [%r10-8]" };

describe("fields of contexts that have 16 bits in the kernel", () => {
  it.each([64, 32] as const)("keep what the kernel keeps, with %i-bit addresses", (addressBits) => {
    using engine = new VmEngine({ memory: 4 << 20, addressBits });
    for (const [name, offset] of Object.entries(fields)) {
      for (const [pointer, take] of Object.entries(pointers)) {
        for (const number of numbers) {
          for (const store of [`stw [%r6+${offset}], ${number}`, `mov %r2, ${number}\nstxw [%r6+${offset}], %r2`]) {
            const text = `${take}\nstw [%r6+${offset}], 5\n${store}\nldxw %r0, [%r6+${offset}]\nexit`;
            const program = { type: ProgramType.SCHED_CLS, text };
            const options = { data: ipv4Frame };
            const out = runInVm(engine, program, options);
            expect({ name, pointer, text, out }).toEqual({ name, pointer, text, out: runInKernel(program, options) });
          }
        }
      }
    }
  });

  it("are the port of a socket address too, of which the kernel has 16 bits", () => {
    using engine = new VmEngine({ memory: 4 << 20 });
    const text = "mov %r2, 0x12345678\nstxw [%r1+24], %r2\nldxw %r0, [%r1+24]\nexit";
    const attachType = AttachType.CGROUP_INET4_CONNECT;
    using program = vmProgram(engine, { type: ProgramType.CGROUP_SOCK_ADDR, attachType, text });
    expect(program.run({}).returned).toBe(0x5678);
  });

  it("are no others at the same distance from another pointer", () => {
    using engine = new VmEngine({ memory: 4 << 20 });
    const text = `mov %r6, %r10\nadd %r6, -64\nstxdw [%r10-8], %r6\nldxdw %r6, [%r10-8]
      mov %r2, -1\nstxw [%r6+12], %r2\nstxw [%r6+44], %r2\nldxw %r0, [%r6+12]\nldxw %r3, [%r6+44]\nand %r0, %r3\nexit`;
    const program = { type: ProgramType.SCHED_CLS, text };
    expect(runInVm(engine, program, { data: ipv4Frame })).toBe(runInKernel(program, { data: ipv4Frame }));
  });
});
