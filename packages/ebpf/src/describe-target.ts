// SPDX-License-Identifier: Apache-2.0

import type { AttachTarget } from "./attach-target.ts";
import type { UserCode } from "./targets/probes.ts";

/** An attach target in a few words: `tracepoint sched:sched_switch`, `xdp eth0`, `uprobe /bin/bash:readline`. */
export function describeTarget(target: AttachTarget): string {
  if ("tracepoint" in target) return `tracepoint ${target.tracepoint}`;
  if ("rawTracepoint" in target) return `raw tracepoint ${target.rawTracepoint}`;
  if ("tpBtf" in target) return `tp_btf ${target.tpBtf}`;
  if ("perfEvent" in target) {
    const { perfEvent } = target;
    return "fd" in perfEvent ? `perf event of descriptor ${perfEvent.fd}` : `perf event ${perfEvent.event}`;
  }
  if ("kprobe" in target) return `kprobe ${target.kprobe}${plus(target.offset)}`;
  if ("kretprobe" in target) return `kretprobe ${target.kretprobe}`;
  if ("ksyscall" in target) return `ksyscall ${target.ksyscall}`;
  if ("kretsyscall" in target) return `kretsyscall ${target.kretsyscall}`;
  if ("kprobeMulti" in target) {
    const { pattern, symbols, addresses } = target.kprobeMulti;
    return `kprobe_multi ${pattern ?? symbols?.join(",") ?? `${addresses?.length ?? 0} addresses`}`;
  }
  if ("uprobe" in target) return `uprobe ${userCode(target.uprobe)}`;
  if ("uretprobe" in target) return `uretprobe ${userCode(target.uretprobe)}`;
  if ("uprobeMulti" in target) {
    const { file, pattern, symbols, offsets } = target.uprobeMulti;
    return `uprobe_multi ${file}:${pattern ?? symbols?.join(",") ?? `${offsets?.length ?? 0} offsets`}`;
  }
  if ("usdt" in target) {
    const { path, provider, name } = target.usdt;
    return `usdt ${path}:${provider}:${name}`;
  }
  if ("fentry" in target) return `fentry ${target.fentry}`;
  if ("fexit" in target) return `fexit ${target.fexit}`;
  if ("fmodRet" in target) return `fmod_ret ${target.fmodRet}`;
  if ("freplace" in target) {
    const { program, function: name } = target.freplace;
    return `freplace ${[program?.name, name].filter((part) => part !== undefined).join(":")}`.trimEnd();
  }
  if ("lsm" in target) return `lsm ${target.lsm}`;
  if ("iterator" in target) {
    const { map, pid, tid, cgroup } = target.iterator;
    const over = map?.spec.name ?? cgroup ?? (pid === undefined ? tid && `thread ${tid}` : `process ${pid}`);
    return over === undefined ? "iterator" : `iterator over ${over}`;
  }
  if ("xdp" in target) return `xdp ${place(target.xdp)}`;
  if ("tcx" in target) return `tcx ${place(target.tcx)}${spaced(target.tcx.direction)}`;
  if ("tc" in target) return `tc ${place(target.tc)} ${target.tc.direction}`;
  if ("netkit" in target) return `netkit ${place(target.netkit)}${spaced(target.netkit.end)}`;
  if ("netfilter" in target) {
    const { family, hook, priority } = target.netfilter;
    return `netfilter ${family} ${hook} priority ${priority}`;
  }
  if ("cgroup" in target) return `cgroup ${target.cgroup}`;
  if ("socketFilter" in target) return `socket filter of descriptor ${target.socketFilter}`;
  if ("reuseport" in target) return `reuseport group of descriptor ${target.reuseport}`;
  if ("sockmap" in target) return `sockmap ${target.sockmap.spec.name}`;
  if ("structOps" in target) return `struct_ops ${target.structOps.spec.name}`;
  return `network namespace ${target.netns}`;
}

function plus(offset: number | undefined): string {
  return offset === undefined || offset === 0 ? "" : `+0x${offset.toString(16)}`;
}

function spaced(word: string | undefined): string {
  return word === undefined ? "" : ` ${word}`;
}

function place(point: { readonly interface: string | number; readonly netns?: string | number }): string {
  const name = typeof point.interface === "number" ? `interface ${point.interface}` : point.interface;
  return point.netns === undefined ? name : `${name} in ${point.netns}`;
}

function userCode({ file, symbol, offset }: UserCode): string {
  return symbol === undefined ? `${file}${plus(offset)}` : `${file}:${symbol}${plus(offset)}`;
}
