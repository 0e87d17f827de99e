// SPDX-License-Identifier: Apache-2.0

import { closeSync } from "node:fs";
import { AttachType, assemble, helperName, ProgramType, programTypeName } from "@skep/ebpf";
import { loadProgram } from "@skep/linux";
import { expect, it } from "vitest";
import { onlyWithOurRules } from "../../run/kernel-rules.test-kit.ts";
import { helperTypeRefusal, typedHelpers } from "./helper-program-types.ts";

const T = ProgramType;
const types: readonly (readonly [type: number, attachType?: number])[] = [
  [T.XDP],
  [T.SOCKET_FILTER],
  [T.SCHED_CLS],
  [T.SCHED_ACT],
  [T.CGROUP_SKB],
  [T.LWT_IN],
  [T.LWT_OUT],
  [T.LWT_XMIT],
  [T.LWT_SEG6LOCAL],
  [T.SK_SKB, AttachType.SK_SKB_STREAM_VERDICT],
  [T.SK_MSG, AttachType.SK_MSG_VERDICT],
  [T.SK_LOOKUP, AttachType.SK_LOOKUP],
  [T.SK_REUSEPORT, AttachType.SK_REUSEPORT_SELECT],
  [T.SOCK_OPS, AttachType.CGROUP_SOCK_OPS],
  [T.FLOW_DISSECTOR, AttachType.FLOW_DISSECTOR],
  [T.CGROUP_SOCK, AttachType.CGROUP_INET_SOCK_CREATE],
  [T.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET4_CONNECT],
  [T.CGROUP_SOCKOPT, AttachType.CGROUP_SETSOCKOPT],
  [T.RAW_TRACEPOINT],
  [T.TRACEPOINT],
];

onlyWithOurRules();

it("which types may call a helper is what the kernel says", () => {
  const bytes = new Uint8Array(4096);
  const unlike: string[] = [];
  for (const [type, attachType = 0] of types) {
    for (const id of typedHelpers) {
      const { instructions } = assemble(`call ${id}\nexit`);
      const options = { type, expectedAttachType: attachType, instructions, license: "GPL" };
      const { result } = loadProgram(options, { bytes, level: 1 });
      if (result >= 0) closeSync(result);
      const log = Buffer.from(bytes).toString("latin1").split("\0")[0] ?? "";
      const kernel = !(result < 0 && log.includes("program of this type cannot use helper"));
      if (kernel !== (helperTypeRefusal(id, type) === undefined)) {
        unlike.push(`${helperName(id)} of ${programTypeName(type)}: the kernel says ${kernel}`);
      }
    }
  }
  expect(unlike).toEqual([]);
});
