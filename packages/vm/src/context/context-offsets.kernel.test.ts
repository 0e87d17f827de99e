// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { openBtf, ProgramType } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { onlyWithOurRules } from "../run/kernel-rules.test-kit.ts";
import { contextLayout } from "./layout-for.ts";
import { pluginContext } from "./plugin-context.ts";

const T = ProgramType;
const types = [
  T.XDP,
  T.SCHED_CLS,
  T.SK_LOOKUP,
  T.SK_MSG,
  T.SK_REUSEPORT,
  T.SOCK_OPS,
  T.CGROUP_SOCK,
  T.CGROUP_SOCK_ADDR,
  T.CGROUP_DEVICE,
  T.CGROUP_SYSCTL,
  T.CGROUP_SOCKOPT,
] as const;

/** What a union has another name for, and padding. */
const ours: ReadonlySet<string> = new Set(["remote_port_zeros", "args_1", "args_2", "args_3"]);

onlyWithOurRules();

describe("a context lies as the kernel's types have it", () => {
  const btf = openBtf(readFileSync("/sys/kernel/btf/vmlinux"));

  it.for(types.map((type) => contextLayout(type)))("$name", ({ name, size, fields }) => {
    const struct = pluginContext(name, { btf, struct: name.replace("struct ", "") });
    const places = new Map(struct.fields.map((field) => [field.name, field]));
    expect(size).toBe(Math.ceil(struct.size / 4) * 4);
    for (const field of fields) {
      if (ours.has(field.name)) continue;
      const { offset, size, count } = places.get(field.name) ?? {};
      expect([field.name, field.offset, field.size, field.count]).toEqual([field.name, offset, size, count]);
    }
  });

  it("struct pt_regs of a perf event is as long", () => {
    const [id] = btf.idsByName("bpf_perf_event_data", 4);
    if (id !== undefined && process.arch === "x64") {
      expect(btf.sizeOf(id)).toBe(contextLayout(T.PERF_EVENT).size);
    }
  });
});
