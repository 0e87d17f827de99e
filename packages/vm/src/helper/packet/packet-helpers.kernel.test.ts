// SPDX-License-Identifier: Apache-2.0

import { ProgramType } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { onlyWithOurRules } from "../../run/kernel-rules.test-kit.ts";
import { ipv4Frame } from "../../run/run-room.test-kit.ts";
import { VmEngine } from "../../vm-engine.ts";
import { calling, move, onStack, type PacketProgram } from "./assembly.test-kit.ts";
import { agree, runInKernel, runInVm } from "./both-engines.test-kit.ts";

const { XDP, SCHED_CLS, CGROUP_SKB, SOCKET_FILTER, LWT_XMIT } = ProgramType;

/** Loads through a helper into 16 bytes of stack; r0 is its result, or a sum of what was loaded. */
function loading(type: number, helper: string, offset: number, length: number, header?: number): PacketProgram {
  const fifth = header === undefined ? "" : move(5, header);
  return {
    type,
    text: `
      ${onStack(16, new Array(16).fill(0x55))}
      ${move(2, offset)}
      mov %r3, %r10
      add %r3, -16
      ${move(4, length)}
      ${fifth}
      call ${helper}
      ldxdw %r1, [%r10-16]
      ldxdw %r2, [%r10-8]
      mul %r1, 31
      mul %r2, 1009
      xor %r0, %r1
      xor %r0, %r2
      mov %r1, %r0
      rsh %r1, 32
      xor %r0, %r1
      ${type === CGROUP_SKB ? "mov %r0, 1" : ""}
      exit`,
  };
}

/** Stores 8 bytes of the stack through a helper. */
function storing(type: number, helper: string, offset: number, flags?: number): PacketProgram {
  const fifth = flags === undefined ? "" : move(5, flags);
  return {
    type,
    text: `
      mov %r6, %r1
      ${onStack(8, [1, 2, 3, 4, 5, 6, 7, 8])}
      ${move(2, offset)}
      mov %r3, %r10
      add %r3, -8
      mov %r4, 8
      ${fifth}
      call ${helper}
      exit`,
  };
}

const bounds = "ldxw %r1, [%r6+0]\nldxw %r2, [%r6+4]\nldxw %r3, [%r6+8]";

const cases: readonly (readonly [name: string, programs: readonly PacketProgram[]])[] = [
  [
    "xdp_adjust_head",
    [-217, -216, -215, -14, 0, 14, 40, 41, 54].map((by) => calling(XDP, "bpf_xdp_adjust_head", [by])),
  ],
  [
    "xdp_adjust_head with metadata, and xdp_adjust_meta",
    [-4, -3, -252, -216, -256, 4, 0].map((by) => ({
      type: XDP,
      text: `
        mov %r6, %r1
        mov %r2, ${by}
        call bpf_xdp_adjust_meta
        mov %r7, %r0
        mov %r1, %r6
        mov %r2, -20
        call bpf_xdp_adjust_head
        lsh %r0, 8
        xor %r0, %r7
        exit`,
    })),
  ],
  [
    "xdp_adjust_tail",
    [-54, -41, -40, -1, 0, 1, 100, 3466, 3467].map((by) => calling(XDP, "bpf_xdp_adjust_tail", [by])),
  ],
  ["xdp_get_buff_len", [calling(XDP, "bpf_xdp_get_buff_len", [])]],
  [
    "xdp_load_bytes",
    [
      [0, 16],
      [38, 16],
      [39, 16],
      [50, 4],
      [53, 1],
      [54, 1],
      [65_535, 1],
      [65_536, 1],
    ].map(([offset = 0, length = 0]) => loading(XDP, "bpf_xdp_load_bytes", offset, length)),
  ],
  ["xdp_store_bytes", [0, 46, 47, 65_536].map((offset) => storing(XDP, "bpf_xdp_store_bytes", offset))],
  [
    "redirect of XDP",
    [
      [1, 0],
      [7, 0],
      [7, 1],
    ].map(([target = 0, flags = 0]) => ({
      type: XDP,
      text: `${move(1, target)}\n${move(2, flags)}\ncall bpf_redirect\nexit`,
    })),
  ],
  [
    "redirect of tc",
    [0, 1, 2, 4, 2 ** 33].flatMap((flags) =>
      ["bpf_redirect", "bpf_redirect_peer"].map((helper) => ({
        type: SCHED_CLS,
        text: `mov %r1, 1\n${move(2, flags)}\ncall ${helper}\nexit`,
      })),
    ),
  ],
  [
    "redirect_neigh",
    [
      [0, 0],
      [20, 0],
      [16, 0],
      [0, 1],
    ].map(([length = 0, flags = 0]) => ({
      type: SCHED_CLS,
      text: `
        ${onStack(20, new Array(20).fill(0))}
        mov %r1, 1
        ${length === 0 ? "mov %r2, 0" : "mov %r2, %r10\nadd %r2, -20"}
        mov %r3, ${length}
        mov %r4, ${flags}
        call bpf_redirect_neigh
        exit`,
    })),
  ],
  [
    "skb_load_bytes",
    [SCHED_CLS, SOCKET_FILTER, LWT_XMIT].flatMap((type) =>
      [
        [0, 16],
        [24, 16],
        [25, 16],
        [38, 16],
        [39, 16],
        [2 ** 31, 4],
      ].map(([offset = 0, length = 0]) => loading(type, "bpf_skb_load_bytes", offset, length)),
    ),
  ],
  [
    "skb_load_bytes_relative",
    [SCHED_CLS, SOCKET_FILTER].flatMap((type) =>
      [0, 1, 2].flatMap((header) =>
        [0, 24, 25, 38, 39, 65_536].map((offset) => loading(type, "bpf_skb_load_bytes_relative", offset, 16, header)),
      ),
    ),
  ],
  [
    "skb_store_bytes",
    [0, 46, 47, 2 ** 31].flatMap((offset) =>
      [0, 1, 2, 3, 4].map((flags) => storing(SCHED_CLS, "bpf_skb_store_bytes", offset, flags)),
    ),
  ],
  [
    "skb_store_bytes behind the Ethernet header",
    [0, 32, 33].map((offset) => storing(LWT_XMIT, "bpf_skb_store_bytes", offset, 0)),
  ],
  ["skb_pull_data", [0, 1, 54, 55, 2 ** 31].map((length) => calling(SCHED_CLS, "bpf_skb_pull_data", [length]))],
  [
    "skb_change_type",
    [0, 1, 3, 4].map((type) =>
      calling(SCHED_CLS, "bpf_skb_change_type", [type], "ldxw %r1, [%r6+4]\nlsh %r0, 4\nxor %r0, %r1"),
    ),
  ],
  [
    "l3_csum_replace",
    [24, 25, 53, 52, 54, 65_536].flatMap((offset) =>
      [0, 2, 4, 3, 16].flatMap((flags) =>
        [
          [0, 0],
          [0, 0xffff],
          [0x0100, 0x0200],
          [0x1234_5678, 0x9abc_def0],
          [0xffff_ffff, 1],
        ].map(([from = 0, to = 0]) => calling(SCHED_CLS, "bpf_l3_csum_replace", [offset, from, to, flags])),
      ),
    ),
  ],
  [
    "l4_csum_replace",
    [40, 50, 55].flatMap((offset) =>
      [0, 2, 4, 0x10, 0x14, 0x20, 0x22, 0x64, 0x84, 0x100].flatMap((flags) =>
        [
          [0, 0],
          [0, 0xffff],
          [0x0100, 0x0200],
          [0x1234_5678, 0x9abc_def0],
        ].map(([from = 0, to = 0]) => calling(SCHED_CLS, "bpf_l4_csum_replace", [offset, from, to, flags])),
      ),
    ),
  ],
  [
    "csum_diff",
    [0, 4, 8, 16].flatMap((from) =>
      [0, 4, 12, 16].flatMap((to) =>
        [0, 1, 0xffff_ffff, 0x1234_5678].flatMap((seed) =>
          [new Array(32).fill(0), new Array(32).fill(0xff), Array.from({ length: 32 }, (_, i) => (i * 37) & 0xff)].map(
            (bytes) => ({
              type: SCHED_CLS,
              text: `
              ${onStack(32, bytes)}
              mov %r1, %r10
              add %r1, -32
              mov %r2, ${from}
              mov %r3, %r10
              add %r3, -16
              mov %r4, ${to}
              ${move(5, seed)}
              call bpf_csum_diff
              exit`,
            }),
          ),
        ),
      ),
    ),
  ],
];

onlyWithOurRules();

describe("a helper of packets does what the kernel's does", () => {
  const engine = new VmEngine({ memory: 1 << 23 });

  it.for(cases)("%s", ([, programs]) => {
    agree(engine, programs);
  });

  it("leaves its bounds in the context", () => {
    const program = calling(
      XDP,
      "bpf_xdp_adjust_head",
      [-8],
      `${bounds}\nsub %r2, %r1\nsub %r1, %r3\nlsh %r1, 16\nmov %r0, %r2\nxor %r0, %r1`,
    );
    const options = { data: ipv4Frame };
    expect(runInVm(engine, program, options)).toBe(runInKernel(program, options));
  });
});
