// SPDX-License-Identifier: Apache-2.0

import { type AttachTarget, InvalidValueError } from "@skep/ebpf";
import type { FileDescriptor } from "@skep/linux";
import { attachCgroup } from "./attach-cgroup.ts";
import { attachFreplace } from "./attach-freplace.ts";
import { attachIterator } from "./attach-iterator.ts";
import { attachKprobe, attachKprobeMulti, attachKsyscall } from "./attach-kprobe.ts";
import { attachNetfilter, attachNetkit, attachNetns, attachTcx, attachXdp } from "./attach-network.ts";
import { attachPerfEvent, attachTracepoint } from "./attach-perf-event.ts";
import { attachReuseport, attachSocketFilter, attachSockmap } from "./attach-socket.ts";
import { attachTc } from "./attach-tc.ts";
import { attachRawTracepoint, attachTpBtf, attachTrampoline } from "./attach-tracing.ts";
import { attachUprobe, attachUprobeMulti } from "./attach-uprobe.ts";
import { attachUsdt } from "./attach-usdt.ts";
import { KernelLink } from "./kernel-link.ts";
import type { KernelProgram } from "./kernel-program.ts";

/**
 * Attaches a program. All descriptors of a link are closed on exec, and close together; when a step fails
 * nothing stays attached.
 */
export function attachProgram(program: KernelProgram, target: AttachTarget): KernelLink {
  using building = new DisposableStack();
  const fd = attach(program, target, building);
  return new KernelLink(target, building.move(), fd);
}

/** The kernel's link, if there is one; it and all else that keeps the program attached is in `resources`. */
function attach(program: KernelProgram, target: AttachTarget, resources: DisposableStack): FileDescriptor | undefined {
  // These open more than the link.
  if ("tracepoint" in target) return attachTracepoint(program, target, resources);
  if ("perfEvent" in target) return attachPerfEvent(program, target, resources);
  if ("kprobe" in target || "kretprobe" in target) return attachKprobe(program, target, resources);
  if ("ksyscall" in target || "kretsyscall" in target) return attachKsyscall(program, target, resources);
  if ("uprobe" in target || "uretprobe" in target) return attachUprobe(program, target, resources);
  if ("usdt" in target) return attachUsdt(program, target, resources);
  if ("socketFilter" in target) return attachSocketFilter(program, target, resources);
  if ("reuseport" in target) return attachReuseport(program, target, resources);
  if ("tc" in target) return attachTc(program, target, resources);
  const fd =
    "cgroup" in target
      ? attachCgroup(program, target, resources)
      : "sockmap" in target
        ? attachSockmap(program, target, resources)
        : link(program, target);
  return fd === undefined ? undefined : resources.use(fd);
}

type LinkOnlyTarget = Exclude<
  AttachTarget,
  | { readonly tracepoint: unknown }
  | { readonly perfEvent: unknown }
  | { readonly kprobe: unknown }
  | { readonly kretprobe: unknown }
  | { readonly ksyscall: unknown }
  | { readonly kretsyscall: unknown }
  | { readonly uprobe: unknown }
  | { readonly uretprobe: unknown }
  | { readonly usdt: unknown }
  | { readonly socketFilter: unknown }
  | { readonly reuseport: unknown }
  | { readonly tc: unknown }
  | { readonly cgroup: unknown }
  | { readonly sockmap: unknown }
>;

/** The kinds of target that take a link and nothing else. */
function link(program: KernelProgram, target: LinkOnlyTarget): FileDescriptor {
  if ("rawTracepoint" in target) return attachRawTracepoint(program, target);
  if ("tpBtf" in target) return attachTpBtf(program, target);
  if ("kprobeMulti" in target) return attachKprobeMulti(program, target);
  if ("uprobeMulti" in target) return attachUprobeMulti(program, target);
  if ("iterator" in target) return attachIterator(program, target);
  if ("xdp" in target) return attachXdp(program, target);
  if ("tcx" in target) return attachTcx(program, target);
  if ("netkit" in target) return attachNetkit(program, target);
  if ("netfilter" in target) return attachNetfilter(program, target);
  if ("netns" in target) return attachNetns(program, target);
  if ("freplace" in target) return attachFreplace(program, target);
  if ("structOps" in target) {
    throw new InvalidValueError(
      `program "${program.name}" is a part of a struct of functions: attach that one, by structOps`,
    );
  }
  return attachTrampoline(program, target);
}
