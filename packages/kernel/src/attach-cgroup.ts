// SPDX-License-Identifier: Apache-2.0

import { type CgroupTarget, ProgramType } from "@skep/ebpf";
import { attachToTarget, detachFromTarget, type FileDescriptor } from "@skep/linux";
import { linkOrder } from "./attach-order.ts";
import { linkTo, requireType } from "./attach-tools.ts";
import type { KernelProgram } from "./kernel-program.ts";
import { newerThanKernel } from "./minimum-version.ts";
import { openForReading } from "./open-for-reading.ts";

const cgroupTypes = [
  ProgramType.CGROUP_SKB,
  ProgramType.CGROUP_SOCK,
  ProgramType.CGROUP_SOCK_ADDR,
  ProgramType.CGROUP_SOCKOPT,
  ProgramType.CGROUP_SYSCTL,
  ProgramType.CGROUP_DEVICE,
  ProgramType.SOCK_OPS,
  ProgramType.LSM,
];
const flagsOfMode = { exclusive: 0, override: 1, multi: 2 } as const;

/**
 * Attaches to a cgroup, and returns the link when it is by one. Otherwise the detaching is among `resources`, and the
 * cgroup's and program's descriptors that it takes.
 */
export function attachCgroup(
  program: KernelProgram,
  target: CgroupTarget,
  resources: DisposableStack,
): FileDescriptor | undefined {
  requireType(program, cgroupTypes, "a cgroup");
  const object = `cgroup ${target.cgroup}`;
  const { attachType = program.spec.expectedAttachType } = target;
  const mode = target.mode ?? (newerThanKernel("5.7") === undefined ? "link" : "multi");
  if (mode === "link") {
    using cgroup = openForReading(target.cgroup, object);
    // Order came in 6.17; older kernels refuse flags, so none are given unless asked for.
    const order = target.anchor === undefined && target.revision === undefined ? {} : linkOrder(target);
    const options = { program: program.fd, target: cgroup, attachType, ...order };
    return linkTo(options, object, { what: "a cgroup", since: "flags" in order ? "6.17" : "5.7" });
  }
  const cgroup = resources.use(openForReading(target.cgroup, object));
  // The program may be given up before the link is closed, and detaching still has to name it.
  const own = resources.use(program.fd.duplicate());
  const options = { program: own, target: cgroup, attachType };
  attachToTarget({ ...options, flags: flagsOfMode[mode] }, object);
  resources.defer(() => detachFromTarget(options, object));
  return undefined;
}
