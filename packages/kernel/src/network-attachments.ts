// SPDX-License-Identifier: Apache-2.0

import { statSync } from "node:fs";
import { AttachType, InvalidValueError, type LinkInfo, NotSupportedError } from "@skep/ebpf";
import {
  inNetworkNamespace,
  isSystemCallError,
  type NetworkInterface,
  networkInterfaces,
  tcFilters,
} from "@skep/linux";
import { listLinks } from "./list-objects.ts";
import { type AttachPlace, queryAttached } from "./query-attached.ts";

/** A program in the way of packets. Plain data, fit for JSON. */
export interface NetworkAttachment {
  /** `xdp/driver`, `tcx/ingress`, `tc/egress`, `netkit/primary`, `flow_dissector`, `sk_lookup`, `netfilter/ipv4`. */
  readonly place: string;
  /** The interface's name; undefined for what is not at one. */
  readonly interface: string | undefined;
  readonly programId: number;
  /** Undefined for what has no link, and for XDP when links to interfaces of this index in several namespaces may be it. */
  readonly linkId: number | undefined;
  /** `priority 1, handle 0x1` of tc; the hook and priority of netfilter; else empty. */
  readonly detail: string;
}

const hooks = ["prerouting", "input", "forward", "output", "postrouting"];
const families: Readonly<Record<number, string>> = { 2: "ipv4", 10: "ipv6" };

/**
 * What is attached to the network interfaces of a network namespace (a path or a descriptor; this process's own unless
 * given) and to the namespace itself, in the order in which it runs. The kernel does not tell which namespace a netfilter
 * link is in: those of all are listed. Needs CAP_NET_ADMIN and, for links, CAP_SYS_ADMIN.
 */
export function networkAttachments(netns?: string | number): NetworkAttachment[] {
  const links = listLinks();
  const atInterfaces = inNetworkNamespace(netns, () => networkInterfaces().flatMap((each) => atInterface(each, links)));
  const path = netns === undefined ? "/proc/thread-self/ns/net" : undefined;
  const namespace = path ?? (typeof netns === "number" ? `/proc/self/fd/${netns}` : String(netns));
  const inode = statSync(namespace).ino;
  const ofNamespace = (name: string, attachType: AttachType): NetworkAttachment[] =>
    at(name, undefined, { netns: namespace, attachType }).map((each) => ({
      ...each,
      linkId: links.find(
        (link) => link.kind === "netns" && link.netnsInode === inode && link.programId === each.programId,
      )?.id,
    }));
  return [
    ...atInterfaces,
    ...ofNamespace("flow_dissector", AttachType.FLOW_DISSECTOR),
    ...ofNamespace("sk_lookup", AttachType.SK_LOOKUP),
    ...links.flatMap(netfilterLink),
  ];
}

function atInterface({ index, name, kind, xdp }: NetworkInterface, links: readonly LinkInfo[]): NetworkAttachment[] {
  const point = { interface: index };
  // The kernel does not tell which namespace a link's interface is in: of several it may be any.
  const xdpLink = (id: number): LinkInfo | undefined => {
    const [link, ...others] = links.filter(
      (each) => each.kind === "xdp" && each.interfaceIndex === index && each.programId === id,
    );
    return others.length === 0 ? link : undefined;
  };
  return [
    ...xdp.map(({ mode, programId }) => ({
      place: `xdp/${mode}`,
      interface: name,
      programId,
      linkId: xdpLink(programId)?.id,
      detail: "",
    })),
    ...at("tcx/ingress", name, { tcx: { ...point, direction: "ingress" } }),
    ...at("tcx/egress", name, { tcx: { ...point, direction: "egress" } }),
    ...(kind === "netkit"
      ? [
          ...at("netkit/primary", name, { netkit: { ...point, end: "primary" } }),
          ...at("netkit/peer", name, { netkit: { ...point, end: "peer" } }),
        ]
      : []),
    ...tcFilters(index).map(({ direction, priority, handle, programId }) => ({
      place: `tc/${direction}`,
      interface: name,
      programId,
      linkId: undefined,
      detail: `priority ${priority}, handle 0x${handle.toString(16)}`,
    })),
  ];
}

/** Nothing can be attached to what the kernel does not have. */
function at(name: string, on: string | undefined, place: AttachPlace): NetworkAttachment[] {
  try {
    return queryAttached(place).programs.map(({ programId, linkId }) => ({
      place: name,
      interface: on,
      programId,
      linkId,
      detail: "",
    }));
  } catch (error) {
    // InvalidValueError: a kernel of a version that has such places, built without them.
    if (error instanceof NotSupportedError || error instanceof InvalidValueError) return [];
    // The interface went away since it was listed.
    if (on !== undefined && isSystemCallError(error, "ENODEV")) return [];
    throw error;
  }
}

function netfilterLink(link: LinkInfo): NetworkAttachment[] {
  if (link.kind !== "netfilter") return [];
  return [
    {
      place: `netfilter/${families[link.family] ?? link.family}`,
      interface: undefined,
      programId: link.programId,
      linkId: link.id,
      detail: `${hooks[link.hook] ?? `hook ${link.hook}`}, priority ${link.priority}`,
    },
  ];
}
