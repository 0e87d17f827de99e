// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import type { AttachTarget } from "./attach-target.ts";
import { describeTarget } from "./describe-target.ts";

const cases: readonly (readonly [AttachTarget, string])[] = [
  [{ tracepoint: "sched:sched_switch" }, "tracepoint sched:sched_switch"],
  [{ rawTracepoint: "sched_switch" }, "raw tracepoint sched_switch"],
  [{ tpBtf: "sched_switch" }, "tp_btf sched_switch"],
  [{ perfEvent: { event: "software:cpu-clock", period: 1 } }, "perf event software:cpu-clock"],
  [{ kprobe: "tcp_connect", offset: 16 }, "kprobe tcp_connect+0x10"],
  [{ kretprobe: "tcp_connect" }, "kretprobe tcp_connect"],
  [{ ksyscall: "openat" }, "ksyscall openat"],
  [{ kretsyscall: "openat" }, "kretsyscall openat"],
  [{ kprobeMulti: { pattern: "tcp_*" } }, "kprobe_multi tcp_*"],
  [{ kprobeMulti: { addresses: [1n, 2n] } }, "kprobe_multi 2 addresses"],
  [{ uprobe: { file: "bash", symbol: "readline" } }, "uprobe bash:readline"],
  [{ uretprobe: { file: "/bin/sh", offset: 32 } }, "uretprobe /bin/sh+0x20"],
  [{ uprobeMulti: { file: "libc.so.6", symbols: ["read", "write"] } }, "uprobe_multi libc.so.6:read,write"],
  [{ usdt: { path: "/bin/node", provider: "node", name: "gc__start" } }, "usdt /bin/node:node:gc__start"],
  [{ perfEvent: { fd: 20 } }, "perf event of descriptor 20"],
  [{ fentry: "tcp_connect" }, "fentry tcp_connect"],
  [{ fexit: "tcp_connect" }, "fexit tcp_connect"],
  [{ fmodRet: "tcp_connect" }, "fmod_ret tcp_connect"],
  [{ freplace: {} }, "freplace"],
  [{ freplace: { function: "verdict" } }, "freplace verdict"],
  [{ lsm: "file_open" }, "lsm file_open"],
  [{ iterator: {} }, "iterator"],
  [{ iterator: { tid: 7 } }, "iterator over thread 7"],
  [{ xdp: { interface: "eth0" } }, "xdp eth0"],
  [
    { tcx: { interface: 2, netns: "/run/netns/blue", direction: "egress" } },
    "tcx interface 2 in /run/netns/blue egress",
  ],
  [{ tc: { interface: "eth0", direction: "ingress" } }, "tc eth0 ingress"],
  [{ netkit: { interface: "nk0" } }, "netkit nk0"],
  [{ netns: "/run/netns/blue" }, "network namespace /run/netns/blue"],
  [{ netfilter: { family: "ipv6", hook: "input", priority: -1 } }, "netfilter ipv6 input priority -1"],
  [{ cgroup: "/sys/fs/cgroup" }, "cgroup /sys/fs/cgroup"],
  [{ socketFilter: 20 }, "socket filter of descriptor 20"],
  [{ reuseport: 20 }, "reuseport group of descriptor 20"],
];

describe("describeTarget", () => {
  it.each(cases)("%o", (target, text) => expect(describeTarget(target)).toBe(text));
});
