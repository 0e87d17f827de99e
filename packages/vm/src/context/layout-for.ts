// SPDX-License-Identifier: Apache-2.0

import { AttachType, NotSupportedError, ProgramType, programTypeName } from "@skep/ebpf";
import { cgroupDeviceLayout, cgroupSockoptLayout, cgroupSysctlLayout } from "./cgroup-contexts.ts";
import type { ContextLayout } from "./context-layout.ts";
import {
  kprobeLayout,
  perfEventLayout,
  rawTracepointLayout,
  syscallLayout,
  tracepointLayout,
  tracingLayout,
  writableRawTracepointLayout,
} from "./plain-contexts.ts";
import { skBuffLayouts } from "./sk-buff.ts";
import {
  cgroupSockAddrLayout,
  cgroupSockLayout,
  skLookupLayout,
  skMsgLayout,
  skReuseportLayout,
  sockOpsLayout,
} from "./socket-contexts.ts";
import { xdpEgressLayout, xdpLayout } from "./xdp-md.ts";

/** The layouts that do not depend on the attach type. */
const byType: ReadonlyMap<ProgramType, ContextLayout> = new Map(
  [
    ...skBuffLayouts,
    skLookupLayout,
    skMsgLayout,
    sockOpsLayout,
    skReuseportLayout,
    cgroupDeviceLayout,
    cgroupSysctlLayout,
    tracepointLayout,
    rawTracepointLayout,
    writableRawTracepointLayout,
    tracingLayout,
    syscallLayout,
    kprobeLayout,
    perfEventLayout,
  ].map((layout) => [layout.programType, layout]),
);

/**
 * The context of programs of a type; `attachType` is `expected_attach_type`, on which what XDP, CGROUP_SOCK, CGROUP_SOCK_ADDR
 * and CGROUP_SOCKOPT programs see depends. Throws NotSupportedError for types that have no meaning without a kernel.
 */
export function contextLayout(programType: ProgramType, attachType = 0): ContextLayout {
  switch (programType) {
    case ProgramType.XDP:
      return attachType === AttachType.XDP_DEVMAP ? xdpEgressLayout : xdpLayout;
    case ProgramType.CGROUP_SOCK:
      return cgroupSockLayout(attachType);
    case ProgramType.CGROUP_SOCK_ADDR:
      return cgroupSockAddrLayout(attachType);
    case ProgramType.CGROUP_SOCKOPT:
      return cgroupSockoptLayout(attachType);
  }
  const layout = byType.get(programType);
  if (layout === undefined) throw new NotSupportedError(`a context of program type ${programTypeName(programType)}`);
  return layout;
}
