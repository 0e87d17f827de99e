// SPDX-License-Identifier: Apache-2.0

import { uptime } from "node:os";
import { AttachType, type LinkInfo } from "@skep/ebpf";
import type { ObjectHolder } from "@skep/kernel";

/** Processes that a table's cell names before it counts the rest. */
const NAMED = 2;
const SECOND = 1000;
const ages = [
  [86_400, "d"],
  [3600, "h"],
  [60, "m"],
  [1, "s"],
] as const;

const attachNames = new Map<number, string>(
  Object.entries(AttachType).map(([name, value]) => [value, name.toLowerCase()]),
);

/** Processes in a cell: `node(12) bash(7) +3`. */
export function formatHolders(holders: readonly ObjectHolder[]): string {
  const named = holders.slice(0, NAMED).map(({ pid, name }) => `${name}(${pid})`);
  const more = holders.length - named.length;
  return [...named, ...(more > 0 ? [`+${more}`] : [])].join(" ");
}

/** When something happened that the kernel dates in nanoseconds since boot. */
export function timeSinceBoot(nanoseconds: bigint): Date {
  return new Date(Date.now() - uptime() * SECOND + Number(nanoseconds / 1_000_000n));
}

/** How long ago that was, in its largest unit: `5m`. */
export function age(time: Date, now: number = Date.now()): string {
  const seconds = Math.max(0, Math.floor((now - time.getTime()) / SECOND));
  const [size, unit] = ages.find(([each]) => seconds >= each) ?? ages[3];
  return `${Math.floor(seconds / size)}${unit}`;
}

/** An attach type by the kernel's name in lower case, or its number. */
export function attachTypeName(type: number): string {
  return attachNames.get(type) ?? `attach type ${type}`;
}

/** What a link is attached to, in a few words. */
export function describeLink(link: LinkInfo): string {
  switch (link.kind) {
    case "raw_tracepoint":
    case "iter":
      return link.name;
    case "tracing":
      return `${attachTypeName(link.attachType)}, type ${link.btfId} of BTF ${link.objectId}`;
    case "cgroup":
      return `cgroup ${link.cgroupId}, ${attachTypeName(link.attachType)}`;
    case "netns":
      return link.netnsInode === 0 ? "detached" : `netns ${link.netnsInode}, ${attachTypeName(link.attachType)}`;
    case "xdp":
      return onInterface(link.interfaceIndex, "");
    case "tcx":
    case "netkit":
      return onInterface(link.interfaceIndex, `, ${attachTypeName(link.attachType)}`);
    case "netfilter":
      return `family ${link.family}, hook ${link.hook}, priority ${link.priority}`;
    case "struct_ops":
      return `map ${link.mapId}`;
    case "sockmap":
      return `map ${link.mapId}, ${attachTypeName(link.attachType)}`;
    case "kprobe_multi":
      return `${link.count} functions`;
    case "uprobe_multi":
      return `${link.path}, ${link.count} places${link.pid === 0 ? "" : `, process ${link.pid}`}`;
    case "perf_event":
      return describePerfEvent(link);
    case "other":
      return `a link of type ${link.type}`;
  }
}

/** The index means something in the interface's network namespace alone, which the kernel does not tell. */
function onInterface(index: number, rest: string): string {
  return index === 0 ? "detached" : `interface ${index}${rest}`;
}

function describePerfEvent(link: LinkInfo & { readonly kind: "perf_event" }): string {
  switch (link.event) {
    case undefined:
      return "";
    case "uprobe":
    case "uretprobe":
      return `${link.event} ${link.path}+0x${link.offset.toString(16)}`;
    case "kprobe":
    case "kretprobe":
      return `${link.event} ${link.symbol}${link.offset === 0 ? "" : `+0x${link.offset.toString(16)}`}`;
    case "tracepoint":
      return `tracepoint ${link.name}`;
    case "event":
      return `event ${link.type}:${link.config}`;
  }
}
