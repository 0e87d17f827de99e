// SPDX-License-Identifier: Apache-2.0

import {
  AttachType,
  type InterfacePoint,
  InvalidValueError,
  type NetfilterTarget,
  type NetkitTarget,
  type NetnsTarget,
  ProgramType,
  type TcxTarget,
  type XdpTarget,
} from "@skep/ebpf";
import {
  type FileDescriptor,
  inNetworkNamespace,
  interfaceIndex,
  isSystemCallError,
  type LinkCreateOptions,
} from "@skep/linux";
import { linkOrder } from "./attach-order.ts";
import { type LinkKind, linkTo, requireType } from "./attach-tools.ts";
import type { KernelProgram } from "./kernel-program.ts";
import { openForReading } from "./open-for-reading.ts";

const XDP_MODES = { generic: 1 << 1, driver: 1 << 2, offload: 1 << 3 } as const;
const NF_FAMILIES = { ipv4: 2, ipv6: 10 } as const;
const NF_HOOKS = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;
const BPF_F_NETFILTER_IP_DEFRAG = 1;

/** Attaches to an interface's XDP hook. */
export function attachXdp(program: KernelProgram, { xdp }: XdpTarget): FileDescriptor {
  requireType(program, [ProgramType.XDP], "XDP");
  const flags = xdp.mode === undefined ? 0 : XDP_MODES[xdp.mode];
  return atInterface(xdp, { program: program.fd, attachType: AttachType.XDP, flags }, { what: "XDP", since: "5.9" });
}

/** Attaches to an interface's traffic control. */
export function attachTcx(program: KernelProgram, { tcx }: TcxTarget): FileDescriptor {
  requireType(program, [ProgramType.SCHED_CLS], "tcx");
  const attachType = chosen(program, tcx.direction, "direction", {
    ingress: AttachType.TCX_INGRESS,
    egress: AttachType.TCX_EGRESS,
  });
  const options = { program: program.fd, attachType, ...linkOrder(tcx) };
  return atInterface(tcx, options, { what: "tcx", since: "6.6" });
}

/** Attaches to an end of a netkit pair. */
export function attachNetkit(program: KernelProgram, { netkit }: NetkitTarget): FileDescriptor {
  requireType(program, [ProgramType.SCHED_CLS], "netkit");
  const attachType = chosen(program, netkit.end, "end", {
    primary: AttachType.NETKIT_PRIMARY,
    peer: AttachType.NETKIT_PEER,
  });
  const options = { program: program.fd, attachType, ...linkOrder(netkit) };
  return atInterface(netkit, options, { what: "netkit", since: "6.7" });
}

/** Attaches to a network namespace what the program was loaded for: socket lookup or flow dissector. */
export function attachNetns(program: KernelProgram, { netns }: NetnsTarget): FileDescriptor {
  requireType(program, [ProgramType.SK_LOOKUP, ProgramType.FLOW_DISSECTOR], "a network namespace");
  const object = `network namespace ${netns}`;
  using opened = typeof netns === "number" ? undefined : openForReading(netns, object);
  const attachType = program.spec.type === ProgramType.SK_LOOKUP ? AttachType.SK_LOOKUP : AttachType.FLOW_DISSECTOR;
  const since = program.spec.type === ProgramType.SK_LOOKUP ? "5.9" : "5.8";
  const target = opened ?? (netns as number);
  return linkTo({ program: program.fd, target, attachType }, object, { what: "a network namespace", since });
}

/** Attaches to a netfilter hook. */
export function attachNetfilter(program: KernelProgram, { netfilter }: NetfilterTarget): FileDescriptor {
  requireType(program, [ProgramType.NETFILTER], "netfilter");
  const { family, hook, priority, defragment = false, netns } = netfilter;
  const detail = {
    kind: "netfilter",
    family: NF_FAMILIES[family],
    hook: NF_HOOKS[hook],
    priority,
    flags: defragment ? BPF_F_NETFILTER_IP_DEFRAG : 0,
  } as const;
  const options = { program: program.fd, attachType: AttachType.NETFILTER, detail };
  const object = `netfilter ${family} ${hook}, priority ${priority}`;
  return inNetworkNamespace(netns, () => linkTo(options, object, { what: "netfilter", since: "6.4" }));
}

/** Finds the interface and attaches in one stay in its namespace: its index means something only there. */
function atInterface(point: InterfacePoint, options: LinkCreateOptions, kind: LinkKind): FileDescriptor {
  const { interface: wanted, netns } = point;
  const name = typeof wanted === "number" ? `interface ${wanted}` : `interface "${wanted}"`;
  const object = `${kind.what} of ${name}${netns === undefined ? "" : ` in network namespace ${netns}`}`;
  return inNetworkNamespace(netns, () => linkTo({ ...options, target: pointIndex(point) }, object, kind));
}

/**
 * The index of an interface; to be asked for inside its namespace. Throws InvalidValueError when there is none of
 * that name.
 */
export function pointIndex({ interface: wanted, netns }: InterfacePoint): number {
  if (typeof wanted === "number") return wanted;
  try {
    return interfaceIndex(wanted);
  } catch (error) {
    if (!isSystemCallError(error, "ENODEV")) throw error;
    const place = netns === undefined ? "" : ` in network namespace ${netns}`;
    throw new InvalidValueError(`there is no network interface "${wanted}"${place}`, { cause: error });
  }
}

function chosen<T extends string>(
  program: KernelProgram,
  choice: T | undefined,
  what: string,
  types: Readonly<Record<T, AttachType>>,
): AttachType {
  if (choice !== undefined) return types[choice];
  const loadedFor = program.spec.expectedAttachType;
  if (Object.values<AttachType>(types).includes(loadedFor)) return loadedFor;
  const names = Object.keys(types).join(" or ");
  throw new InvalidValueError(
    `program "${program.name}": its section "${program.spec.section}" names no ${what}; give ${names}`,
  );
}
