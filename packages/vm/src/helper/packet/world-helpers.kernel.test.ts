// SPDX-License-Identifier: Apache-2.0

import { ProgramType } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { onlyWithOurRules } from "../../run/kernel-rules.test-kit.ts";
import { ipv4Frame } from "../../run/run-room.test-kit.ts";
import { VmEngine } from "../../vm-engine.ts";
import { calling, move, onStack, type PacketProgram } from "./assembly.test-kit.ts";
import { agree, runInKernel, runInVm } from "./both-engines.test-kit.ts";

const { SCHED_CLS, XDP, SK_LOOKUP } = ProgramType;
const SK_LOOKUP_ATTACH = 36;

/** The MTU check with what stands in `*mtu_len`; r0 has both results. */
function mtuCheck(type: number, index: number, given: number, by: number, flags: number): PacketProgram {
  return {
    type,
    text: `
      stw [%r10-4], ${given}
      ${move(2, index)}
      mov %r3, %r10
      add %r3, -4
      ${move(4, by)}
      ${move(5, flags)}
      call bpf_check_mtu
      ldxw %r1, [%r10-4]
      lsh %r0, 24
      xor %r0, %r1
      exit`,
  };
}

/** Sets the ECN bits of an IPv4 packet's header, then marks it. */
function congestion(bits: number): PacketProgram {
  return {
    type: SCHED_CLS,
    text: `
      mov %r6, %r1
      stb [%r10-1], ${bits}
      mov %r2, 15
      mov %r3, %r10
      add %r3, -1
      mov %r4, 1
      mov %r5, 0
      call bpf_skb_store_bytes
      mov %r1, %r6
      call bpf_skb_ecn_set_ce
      exit`,
  };
}

/** A tunnel key that is set, then asked for; r0 is both results and some of the key. */
function tunnel(size: number, setFlags: number, getFlags: number): PacketProgram {
  return {
    type: SCHED_CLS,
    text: `
      mov %r6, %r1
      ${onStack(44, [...[5, 0, 0, 0], ...[10, 0, 0, 1], ...new Array(36).fill(0)])}
      mov %r2, %r10
      add %r2, -44
      mov %r3, ${size}
      mov %r4, ${setFlags}
      call bpf_skb_set_tunnel_key
      mov %r7, %r0
      mov %r1, %r6
      mov %r2, %r10
      add %r2, -44
      mov %r3, ${size}
      mov %r4, ${getFlags}
      call bpf_skb_get_tunnel_key
      lsh %r7, 8
      xor %r0, %r7
      ldxw %r1, [%r10-44]
      lsh %r1, 16
      xor %r0, %r1
      ldxw %r1, [%r10-40]
      xor %r0, %r1
      exit`,
  };
}

const cases: readonly (readonly [name: string, programs: readonly PacketProgram[]])[] = [
  [
    "check_mtu",
    [SCHED_CLS, XDP].flatMap((type) =>
      [
        [0, 0, 0, 0],
        [1, 0, 0, 0],
        [9999, 0, 0, 0],
        [0, 0, 65_496, 0],
        [0, 0, 65_497, 0],
        [0, 65_536, 0, 0],
        [0, 65_537, 0, 0],
        [0, 65_537, -1, 0],
        [0, 0, 0, 1],
        [0, 1, 0, 1],
        [0, 0, 0, 2],
      ].map(([index = 0, given = 0, by = 0, flags = 0]) => mtuCheck(type, index, given, by, flags)),
    ),
  ],
  ["skb_ecn_set_ce", [0, 1, 2, 3, 0xfd].map(congestion)],
  ["csum_level", [0, 1, 2, 3, 4].map((level) => calling(SCHED_CLS, "bpf_csum_level", [level]))],
  ["csum_update", [calling(SCHED_CLS, "bpf_csum_update", [1])]],
  ["set_hash", [calling(SCHED_CLS, "bpf_set_hash", [77], "ldxw %r1, [%r6+68]\nlsh %r0, 8\nxor %r0, %r1")]],
  [
    "get_hash_recalc after set_hash",
    [calling(SCHED_CLS, "bpf_set_hash", [77], "mov %r1, %r6\ncall bpf_get_hash_recalc")],
  ],
  ["get_cgroup_classid", [calling(SCHED_CLS, "bpf_get_cgroup_classid", [])]],
  ["get_route_realm", [calling(SCHED_CLS, "bpf_get_route_realm", [])]],
  [
    "skb_set_tstamp",
    [
      [0, 0],
      [5, 0],
      [0, 1],
      [5, 1],
      [5, 2],
      [5, 3],
    ].map(([time = 0, type = 0]) =>
      calling(SCHED_CLS, "bpf_skb_set_tstamp", [time, type], "ldxdw %r1, [%r6+152]\nlsh %r1, 8\nxor %r0, %r1"),
    ),
  ],
  [
    "skb_set_tunnel_key and skb_get_tunnel_key",
    [
      [44, 0, 0],
      [28, 0, 0],
      [44, 1, 0],
      [44, 1, 1],
      [44, 0, 1],
      [44, 0, 2],
      [44, 32, 0],
      [40, 0, 0],
    ].map(([size = 0, set = 0, get = 0]) => tunnel(size, set, get)),
  ],
  [
    "skb_get_tunnel_key without one",
    [
      {
        type: SCHED_CLS,
        text: `
          ${onStack(44, new Array(44).fill(1))}
          mov %r2, %r10
          add %r2, -44
          mov %r3, 44
          mov %r4, 0
          call bpf_skb_get_tunnel_key
          ldxw %r1, [%r10-40]
          xor %r0, %r1
          exit`,
      },
    ],
  ],
];

onlyWithOurRules();

describe("a helper about what is around a packet does what the kernel's does", () => {
  const engine = new VmEngine({ memory: 1 << 23 });

  it.for(cases)("%s", ([, programs]) => agree(engine, programs));

  it("sk_assign of nothing", () => {
    const program = {
      type: SK_LOOKUP,
      attachType: SK_LOOKUP_ATTACH,
      text: "mov %r2, 0\nmov %r3, 0\ncall bpf_sk_assign\njne %r0, 0, bad\nmov %r0, 1\nexit\nbad:\nmov %r0, 0\nexit",
    };
    const context = new Uint8Array(72);
    context.set([2, 0, 0, 0, 6], 8);
    const options = { context, contextOutSize: 72 };
    expect(runInVm(engine, program, options)).toBe(runInKernel(program, options));
  });

  it("fib_lookup of what it does not know", () => {
    for (const [size, flags, family] of [
      [60, 0, 2],
      [64, 64, 2],
      [64, 0, 3],
    ] as const) {
      const program = {
        type: XDP,
        text: `
          ${onStack(64, new Array(64).fill(0))}
          stb [%r10-64], ${family}
          mov %r2, %r10
          add %r2, -64
          mov %r3, ${size}
          mov %r4, ${flags}
          call bpf_fib_lookup
          exit`,
      };
      expect(runInVm(engine, program, { data: ipv4Frame })).toBe(runInKernel(program, { data: ipv4Frame }));
    }
  });
});
