// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { AttachType } from "./attach-type.ts";
import { ProgramType } from "./program-type.ts";
import { BPF_F_SLEEPABLE, BPF_F_XDP_HAS_FRAGS, sectionMeaning } from "./section-names.ts";

describe("sectionMeaning", () => {
  it("takes the target from the name", () => {
    expect(sectionMeaning("tp/sched/sched_process_exec").target).toEqual({ tracepoint: "sched:sched_process_exec" });
    expect(sectionMeaning("tracepoint/syscalls/sys_enter_open").target).toEqual({
      tracepoint: "syscalls:sys_enter_open",
    });
    expect(sectionMeaning("raw_tp/sched_switch").target).toEqual({ rawTracepoint: "sched_switch" });
    expect(sectionMeaning("tp_btf/sched_switch")).toEqual({
      type: ProgramType.TRACING,
      expectedAttachType: AttachType.TRACE_RAW_TP,
      flags: 0,
      attachTo: "sched_switch",
      target: { tpBtf: "sched_switch" },
    });
  });

  it("takes functions, files and patterns from the name", () => {
    const target = (name: string) => sectionMeaning(name).target;
    expect(target("kprobe/tcp_connect")).toEqual({ kprobe: "tcp_connect" });
    expect(target("kprobe/tcp_connect+0x10")).toEqual({ kprobe: "tcp_connect", offset: 16 });
    expect(target("kretprobe/tcp_connect")).toEqual({ kretprobe: "tcp_connect" });
    expect(target("ksyscall/openat")).toEqual({ ksyscall: "openat" });
    expect(target("kretsyscall/openat")).toEqual({ kretsyscall: "openat" });
    expect(target("kprobe.multi/tcp_*")).toEqual({ kprobeMulti: { pattern: "tcp_*" } });
    expect(target("kretprobe.multi/tcp_*")).toEqual({ kprobeMulti: { pattern: "tcp_*", moment: "return" } });
    expect(target("kprobe.session/tcp_*")).toEqual({ kprobeMulti: { pattern: "tcp_*", moment: "session" } });
    expect(target("uprobe//bin/bash:readline+8")).toEqual({
      uprobe: { file: "/bin/bash", symbol: "readline", offset: 8 },
    });
    expect(target("uretprobe.s/libc.so.6:read")).toEqual({ uretprobe: { file: "libc.so.6", symbol: "read" } });
    expect(target("uprobe.multi//bin/bash:read*")).toEqual({ uprobeMulti: { file: "/bin/bash", pattern: "read*" } });
    expect(target("uprobe.session/libc.so.6:read")).toEqual({
      uprobeMulti: { file: "libc.so.6", pattern: "read", moment: "session" },
    });
    expect(target("uprobe/bash")).toBeUndefined();
    expect(target("usdt//usr/bin/node:node:gc__start")).toEqual({
      usdt: { path: "/usr/bin/node", provider: "node", name: "gc__start" },
    });
    expect(target("usdt.s/libc.so.6:libc:setjmp")).toMatchObject({ usdt: { path: "libc.so.6", name: "setjmp" } });
    for (const name of ["usdt", "usdt/libc.so.6", "usdt/libc.so.6:setjmp"]) expect(target(name), name).toBeUndefined();
    expect(sectionMeaning("fentry.s/tcp_connect")).toMatchObject({
      attachTo: "tcp_connect",
      target: { fentry: "tcp_connect" },
    });
    expect(target("fexit/tcp_connect")).toEqual({ fexit: "tcp_connect" });
    expect(target("fmod_ret/x")).toEqual({ fmodRet: "x" });
    expect(target("lsm/file_open")).toEqual({ lsm: "file_open" });
    expect(sectionMeaning("freplace/verdict")).toMatchObject({
      attachTo: "verdict",
      target: { freplace: { function: "verdict" } },
    });
    expect(target("iter/task")).toEqual({ iterator: {} });
    expect(sectionMeaning("iter/bpf_map_elem")).toMatchObject({ attachTo: "bpf_map_elem", target: undefined });
  });

  it("leaves the target open where the name has none", () => {
    for (const name of ["tp", "tp/sched", "raw_tp", "tp_btf", "perf_event", "xdp"]) {
      expect(sectionMeaning(name).target, name).toBeUndefined();
    }
  });

  it("reads .s, .frags and the question mark", () => {
    expect(sectionMeaning("?lsm.s/file_open")).toMatchObject({
      type: ProgramType.LSM,
      flags: BPF_F_SLEEPABLE,
      attachTo: "file_open",
    });
    expect(sectionMeaning("xdp.frags/devmap")).toMatchObject({
      expectedAttachType: AttachType.XDP_DEVMAP,
      flags: BPF_F_XDP_HAS_FRAGS,
    });
    expect(sectionMeaning("syscall").flags).toBe(BPF_F_SLEEPABLE);
  });

  it("prefers the longer of two names", () => {
    expect(sectionMeaning("sk_reuseport/migrate").expectedAttachType).toBe(AttachType.SK_REUSEPORT_SELECT_OR_MIGRATE);
    expect(sectionMeaning("sk_reuseport").expectedAttachType).toBe(AttachType.SK_REUSEPORT_SELECT);
    expect(sectionMeaning("cgroup/sock_release").expectedAttachType).toBe(AttachType.CGROUP_INET_SOCK_RELEASE);
    expect(sectionMeaning("tcx/egress").expectedAttachType).toBe(AttachType.TCX_EGRESS);
    expect(sectionMeaning("kprobe.multi/tcp_*").expectedAttachType).toBe(AttachType.TRACE_KPROBE_MULTI);
  });

  it("ignores what follows a name that takes no extra", () => {
    expect(sectionMeaning("socket/garbage").type).toBe(ProgramType.SOCKET_FILTER);
    expect(sectionMeaning("xdp/my_filter").type).toBe(ProgramType.XDP);
  });

  it("does not guess the type of an unknown name", () => {
    expect(sectionMeaning("kprobes/x").type).toBe(0);
    expect(sectionMeaning("my_program").type).toBe(0);
    expect(sectionMeaning("").type).toBe(0);
  });
});
