// SPDX-License-Identifier: Apache-2.0

import type { FileDescriptor } from "./file-descriptor.ts";
import { NETLINK_CREATE, NETLINK_ECHO, routeAttribute, routeRequest } from "./rtnetlink.ts";
import { isSystemCallError } from "./system-call-error.ts";

const RTM_NEWQDISC = 36;
const RTM_NEWTFILTER = 44;
const RTM_DELTFILTER = 45;
const TC_H_CLSACT = 0xffff_fff1;
const CLSACT_HANDLE = 0xffff_0000;
const parents = { ingress: 0xffff_fff2, egress: 0xffff_fff3 } as const;
/** ETH_P_ALL in network byte order. */
const ALL_PROTOCOLS = 0x0300;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
const TCA_BPF_FD = 6;
const TCA_BPF_NAME = 7;
const TCA_BPF_FLAGS = 8;
const DIRECT_ACTION = 1;
const messageSize = 20;

/** A cls_bpf filter of an interface. */
export interface TcFilter {
  readonly interfaceIndex: number;
  readonly direction: "ingress" | "egress";
  /** Lower runs first; 1 to 65535. */
  readonly priority: number;
  /** Tells filters of one priority apart. */
  readonly handle: number;
}

/** Gives an interface the clsact queueing discipline (4.5), in which filters can be; nothing when it has it. */
export function ensureClsact(interfaceIndex: number, object: string): void {
  const payload = Buffer.concat([
    tcMessage(interfaceIndex, CLSACT_HANDLE, TC_H_CLSACT, 0),
    routeAttribute(TCA_KIND, Buffer.from("clsact\0")),
  ]);
  try {
    routeRequest({ type: RTM_NEWQDISC, flags: NETLINK_CREATE, payload, what: "tc qdisc add", object });
  } catch (error) {
    if (!isSystemCallError(error, "EEXIST")) throw error;
  }
}

/** Adds a program as a filter whose result is the verdict (direct-action, 4.4). Priority 0: the kernel chooses. */
export function addTcFilter(
  filter: Omit<TcFilter, "handle">,
  program: FileDescriptor,
  name: string,
  object: string,
): TcFilter {
  const { interfaceIndex, direction, priority } = filter;
  const options = Buffer.concat([
    routeAttribute(TCA_BPF_FD, word(program.number)),
    routeAttribute(TCA_BPF_NAME, Buffer.from(`${name}\0`)),
    routeAttribute(TCA_BPF_FLAGS, word(DIRECT_ACTION)),
  ]);
  const payload = Buffer.concat([
    tcMessage(interfaceIndex, 0, parents[direction], ((priority << 16) | ALL_PROTOCOLS) >>> 0),
    routeAttribute(TCA_KIND, Buffer.from("bpf\0")),
    routeAttribute(TCA_OPTIONS, options),
  ]);
  const flags = NETLINK_CREATE | NETLINK_ECHO;
  const made = routeRequest({ type: RTM_NEWTFILTER, flags, payload, what: "tc filter add", object });
  if (made === undefined) throw new RangeError(`${object}: the kernel did not tell which filter it made`);
  return { ...filter, handle: made.readUInt32LE(8), priority: made.readUInt32LE(16) >>> 16 };
}

/** Removes a filter; nothing when it or its interface has gone. */
export function removeTcFilter(filter: TcFilter, object: string): void {
  const { interfaceIndex, direction, priority, handle } = filter;
  const payload = Buffer.concat([
    tcMessage(interfaceIndex, handle, parents[direction], ((priority << 16) | ALL_PROTOCOLS) >>> 0),
    routeAttribute(TCA_KIND, Buffer.from("bpf\0")),
  ]);
  try {
    routeRequest({ type: RTM_DELTFILTER, payload, what: "tc filter del", object });
  } catch (error) {
    if (!isSystemCallError(error, "ENOENT", "ENODEV")) throw error;
  }
}

/** `struct tcmsg`. */
function tcMessage(interfaceIndex: number, handle: number, parent: number, info: number): Buffer {
  const bytes = Buffer.alloc(messageSize);
  bytes.writeInt32LE(interfaceIndex, 4);
  bytes.writeUInt32LE(handle, 8);
  bytes.writeUInt32LE(parent, 12);
  bytes.writeUInt32LE(info, 16);
  return bytes;
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
