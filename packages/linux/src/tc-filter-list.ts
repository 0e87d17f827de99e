// SPDX-License-Identifier: Apache-2.0

import { attributeText, routeAttributes, routeDump } from "./route-dump.ts";
import { isSystemCallError } from "./system-call-error.ts";

const RTM_GETTFILTER = 46;
/** `struct tcmsg`. */
const messageSize = 20;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
const TCA_BPF_NAME = 7;
const TCA_BPF_ID = 11;
const parents = { ingress: 0xffff_fff2, egress: 0xffff_fff3 } as const;

/** A cls_bpf filter as the kernel shows it. */
export interface ListedTcFilter {
  readonly direction: "ingress" | "egress";
  readonly priority: number;
  readonly handle: number;
  /** The name that it was added under. */
  readonly name: string;
  readonly programId: number;
}

/** The BPF filters of an interface's clsact (4.5), in the order in which they run; none when it has no clsact. */
export function tcFilters(interfaceIndex: number): ListedTcFilter[] {
  return [...filtersAt(interfaceIndex, "ingress"), ...filtersAt(interfaceIndex, "egress")];
}

function filtersAt(interfaceIndex: number, direction: "ingress" | "egress"): ListedTcFilter[] {
  const payload = Buffer.alloc(messageSize);
  payload.writeInt32LE(interfaceIndex, 4);
  payload.writeUInt32LE(parents[direction], 12);
  let messages: Buffer[];
  try {
    const object = `${direction} of interface ${interfaceIndex}`;
    messages = routeDump({ type: RTM_GETTFILTER, payload, what: "tc filter show", object });
  } catch (error) {
    // Kernels say so of an interface that has gone, or without the queueing discipline.
    if (isSystemCallError(error, "ENODEV", "EINVAL", "ENOENT")) return [];
    throw error;
  }
  return messages.flatMap((message) => {
    const attributes = routeAttributes(message.subarray(messageSize));
    const options = routeAttributes(attributes.get(TCA_OPTIONS) ?? Buffer.alloc(0));
    const programId = options.get(TCA_BPF_ID)?.readUInt32LE();
    if (attributeText(attributes.get(TCA_KIND)) !== "bpf" || programId === undefined) return [];
    const priority = message.readUInt32LE(16) >>> 16;
    const name = attributeText(options.get(TCA_BPF_NAME));
    return [{ direction, priority, handle: message.readUInt32LE(8), name, programId }];
  });
}
