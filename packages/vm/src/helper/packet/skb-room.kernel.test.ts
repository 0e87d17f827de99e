// SPDX-License-Identifier: Apache-2.0

import { ProgramType } from "@skep/ebpf";
import { describe, it } from "vitest";
import { onlyWithOurRules } from "../../run/kernel-rules.test-kit.ts";
import { VmEngine } from "../../vm-engine.ts";
import { calling, type PacketProgram } from "./assembly.test-kit.ts";
import { agree } from "./both-engines.test-kit.ts";

const { SCHED_CLS, LWT_XMIT } = ProgramType;

/** Folds len, and the first and last bytes of the packet that a program itself sees, into r0. */
const skbBounds = `
  ldxw %r1, [%r6+0]
  lsh %r1, 8
  xor %r0, %r1
  ldxw %r2, [%r6+76]
  ldxw %r3, [%r6+80]
  mov %r4, %r3
  sub %r4, %r2
  lsh %r4, 4
  xor %r0, %r4
  mov %r5, %r2
  add %r5, 14
  jgt %r5, %r3, exit
  ldxw %r1, [%r2+0]
  xor %r0, %r1`;

/** The same call again; r0 is of both. */
function twice({ type, text }: PacketProgram, after: string): PacketProgram {
  const call = text.slice(text.indexOf("\n"), text.lastIndexOf("exit"));
  return {
    type,
    text: `mov %r6, %r1${call}\nmov %r7, %r0\nmov %r1, %r6${call}\nlsh %r7, 10\nxor %r0, %r7${after}\nexit`,
  };
}

/** Every sequence of pushes and pops up to three; r0 has their results and what the context then says. */
function vlanPrograms(): PacketProgram[] {
  const push = "mov %r1, %r6\nmov %r2, 0x0081\nmov %r3, 0x2123\ncall bpf_skb_vlan_push\nadd %r7, %r0\nlsh %r7, 1";
  const pushAd = push.replace("0x0081", "0xa888").replace("0x2123", "7");
  const pop = "mov %r1, %r6\ncall bpf_skb_vlan_pop\nadd %r7, %r0\nlsh %r7, 1";
  const steps = [push, pushAd, pop];
  const sequences = steps.flatMap((a) => [[a], ...steps.flatMap((b) => [[a, b], ...steps.map((c) => [a, b, c])])]);
  const fields = [16, 20, 24, 28, 0].map((offset, i) => `ldxw %r1, [%r6+${offset}]\nlsh %r1, ${i * 3}\nxor %r7, %r1`);
  return sequences.map((sequence) => ({
    type: SCHED_CLS,
    text: ["mov %r6, %r1", "mov %r7, 0", ...sequence, ...fields, "mov %r0, %r7", "exit"].join("\n"),
  }));
}

const cases: readonly (readonly [name: string, programs: readonly PacketProgram[]])[] = [
  [
    "skb_change_head",
    [
      ...[0, 1, 14, 200, 256, 300, 1000, 16_010, 16_011, 65_536, 2 ** 31].map((by) =>
        calling(SCHED_CLS, "bpf_skb_change_head", [by, 0], skbBounds),
      ),
      calling(SCHED_CLS, "bpf_skb_change_head", [1, 1]),
      ...[0, 14, 100].map((by) => calling(LWT_XMIT, "bpf_skb_change_head", [by, 0])),
    ],
  ],
  [
    "skb_change_tail",
    [
      ...[0, 13, 14, 15, 53, 54, 55, 3000, 16_063, 16_064, 16_065].map((length) =>
        calling(SCHED_CLS, "bpf_skb_change_tail", [length, 0], skbBounds),
      ),
      calling(SCHED_CLS, "bpf_skb_change_tail", [60, 1]),
      ...[0, 1, 40, 100].map((length) => calling(LWT_XMIT, "bpf_skb_change_tail", [length, 0])),
    ],
  ],
  [
    "skb_change_proto",
    [0x0008, 0xdd86, 0x0081, 0].flatMap((protocol) =>
      [0, 1].map((flags) =>
        calling(SCHED_CLS, "bpf_skb_change_proto", [protocol, flags], `${skbBounds}\nldxw %r1, [%r6+16]\nxor %r0, %r1`),
      ),
    ),
  ],
  [
    "skb_adjust_room",
    [0, 1].flatMap((mode) =>
      [-40, -28, -20, -8, 0, 8, 400, 4096].flatMap((by) =>
        [0, 2, 4, 6, 0x1a, 0x20, 0x80, 0x100, 0x180, 0x200].map((flags) =>
          calling(
            SCHED_CLS,
            "bpf_skb_adjust_room",
            [by, mode, flags],
            `${skbBounds}\nldxw %r1, [%r6+16]\nxor %r0, %r1`,
          ),
        ),
      ),
    ),
  ],
  [
    "skb_adjust_room with an inner link header",
    [
      [20, 14],
      [20, 13],
      [8, 14],
      [34, 14],
    ].map(([by = 0, inner = 0]) =>
      calling(SCHED_CLS, "bpf_skb_adjust_room", [by, 1, (BigInt(inner) << 56n) | 0x42n], skbBounds),
    ),
  ],
  [
    "skb_adjust_room twice",
    [0, 2].map((flags) => twice(calling(SCHED_CLS, "bpf_skb_adjust_room", [20, 1, flags]), skbBounds)),
  ],
  ["skb_vlan_push and skb_vlan_pop", vlanPrograms()],
];

onlyWithOurRules();

describe("a helper that moves a packet's bounds does what the kernel's does", () => {
  const engine = new VmEngine({ memory: 1 << 23 });

  it.for(cases)("%s", ([, programs]) => agree(engine, programs));
});
