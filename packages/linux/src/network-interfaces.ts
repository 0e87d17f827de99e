// SPDX-License-Identifier: Apache-2.0

import { attributeText, routeAttributes, routeDump } from "./route-dump.ts";

const RTM_GETLINK = 18;
/** `struct ifinfomsg`. */
const messageSize = 16;
const IFLA_IFNAME = 3;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
const IFLA_XDP = 43;
const xdpModes = [
  [5, "driver"],
  [6, "generic"],
  [7, "offload"],
] as const;

/** A network interface of this thread's network namespace. */
export interface NetworkInterface {
  readonly index: number;
  readonly name: string;
  /** `veth`, `netkit`, `bridge` and the like; empty for hardware and the loopback interface. */
  readonly kind: string;
  /** The XDP programs that it runs. */
  readonly xdp: readonly { readonly mode: "driver" | "generic" | "offload"; readonly programId: number }[];
}

/** Every network interface of this thread's network namespace, by its index. */
export function networkInterfaces(): NetworkInterface[] {
  const request = { type: RTM_GETLINK, payload: Buffer.alloc(messageSize), what: "ip link show" };
  return routeDump({ ...request, object: "network interfaces" }).map((message) => {
    const attributes = routeAttributes(message.subarray(messageSize));
    const xdp = routeAttributes(attributes.get(IFLA_XDP) ?? Buffer.alloc(0));
    const info = routeAttributes(attributes.get(IFLA_LINKINFO) ?? Buffer.alloc(0));
    return {
      index: message.readInt32LE(4),
      name: attributeText(attributes.get(IFLA_IFNAME)),
      kind: attributeText(info.get(IFLA_INFO_KIND)),
      xdp: xdpModes.flatMap(([number, mode]) => {
        const programId = xdp.get(number)?.readUInt32LE();
        return programId === undefined ? [] : [{ mode, programId }];
      }),
    };
  });
}
