// SPDX-License-Identifier: Apache-2.0

import { closeSync } from "node:fs";
import { AttachType, ProgramType, programTypeName } from "@skep/ebpf";
import { loadProgram } from "@skep/linux";
import { describe, expect, it } from "vitest";
import { onlyWithOurRules } from "../run/kernel-rules.test-kit.ts";
import { mayTouchContext } from "./context-layout.ts";
import { contextLayout } from "./layout-for.ts";

/** Types with an attach type that they can be loaded for, and the r0 that the verifier wants. */
const cases: readonly (readonly [type: ProgramType, attachType?: number, returned?: number])[] = [
  [ProgramType.XDP],
  [ProgramType.XDP, AttachType.XDP_DEVMAP],
  [ProgramType.SOCKET_FILTER],
  [ProgramType.SCHED_CLS],
  [ProgramType.SCHED_ACT],
  [ProgramType.CGROUP_SKB, AttachType.CGROUP_INET_INGRESS],
  [ProgramType.LWT_IN],
  [ProgramType.LWT_OUT],
  [ProgramType.LWT_XMIT],
  [ProgramType.LWT_SEG6LOCAL],
  [ProgramType.SK_SKB, AttachType.SK_SKB_STREAM_VERDICT],
  [ProgramType.FLOW_DISSECTOR, AttachType.FLOW_DISSECTOR],
  [ProgramType.SK_LOOKUP, AttachType.SK_LOOKUP],
  [ProgramType.SK_MSG, AttachType.SK_MSG_VERDICT],
  [ProgramType.SK_REUSEPORT, AttachType.SK_REUSEPORT_SELECT],
  [ProgramType.SOCK_OPS, AttachType.CGROUP_SOCK_OPS, 1],
  [ProgramType.CGROUP_SOCK, AttachType.CGROUP_INET_SOCK_CREATE, 1],
  [ProgramType.CGROUP_SOCK, AttachType.CGROUP_INET4_POST_BIND, 1],
  [ProgramType.CGROUP_SOCK, AttachType.CGROUP_INET6_POST_BIND, 1],
  [ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET4_CONNECT, 1],
  [ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET6_BIND, 1],
  [ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UDP4_SENDMSG, 1],
  [ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UDP6_SENDMSG, 1],
  [ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UNIX_CONNECT, 1],
  [ProgramType.CGROUP_DEVICE, AttachType.CGROUP_DEVICE, 1],
  [ProgramType.CGROUP_SYSCTL, AttachType.CGROUP_SYSCTL, 1],
  [ProgramType.CGROUP_SOCKOPT, AttachType.CGROUP_GETSOCKOPT, 1],
  [ProgramType.CGROUP_SOCKOPT, AttachType.CGROUP_SETSOCKOPT, 1],
  [ProgramType.RAW_TRACEPOINT],
  [ProgramType.KPROBE],
  [ProgramType.PERF_EVENT],
];

const sizeBits: Readonly<Record<number, number>> = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 };

/** r0 = *(size *)(r1 + offset), or the store of 0; then r0 = returned; exit. */
function touching(offset: number, size: number, write: boolean, returned: number): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  const touch = write ? 0x62 : 0x61;
  view.setUint8(0, 0xb7);
  view.setUint8(8, touch | (sizeBits[size] ?? 0));
  view.setUint8(9, write ? 0x01 : 0x10);
  view.setInt16(10, offset, true);
  view.setUint8(16, 0xb7);
  view.setInt32(20, returned, true);
  view.setUint8(24, 0x95);
  return bytes;
}

function kernelAllows(type: ProgramType, attachType: number, instructions: Uint8Array): boolean {
  const { result } = loadProgram({ type, expectedAttachType: attachType, instructions, license: "GPL" });
  if (result >= 0) closeSync(result);
  return result >= 0;
}

onlyWithOurRules();

describe("what a program may touch of its context is what the kernel's verifier says", () => {
  const named = cases.map(
    ([type, attachType = 0, returned = 0]) => [programTypeName(type), attachType, type, returned] as const,
  );

  it.for(named)("%s, attach type %s", ([, attachType, type, returned]) => {
    const layout = contextLayout(type, attachType);
    const unlike: string[] = [];
    let allowed = 0;
    for (let offset = 0; offset < layout.size + 8; offset++) {
      for (const size of [1, 2, 4, 8]) {
        if (offset % size !== 0) continue;
        for (const write of [false, true]) {
          const kernel = kernelAllows(type, attachType, touching(offset, size, write, returned));
          if (kernel) allowed++;
          if (kernel !== mayTouchContext(layout, offset, size, write)) {
            unlike.push(`${write ? "write" : "read"} of ${size} at ${offset}: the kernel says ${kernel}`);
          }
        }
      }
    }
    expect(unlike).toEqual([]);
    // A program that loads at all, so that refusals above are the access's.
    expect(allowed).toBeGreaterThan(0);
  });
});
