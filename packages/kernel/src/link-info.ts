// SPDX-License-Identifier: Apache-2.0

import type { LinkInfo, PerfEventInfo } from "@skep/ebpf";
import { AttrBuffer, bpfObjectInfo, type FileDescriptor } from "@skep/linux";

/** Bytes of `struct bpf_link_info` of Linux 6.18, and some more. */
const infoSize = 80;
/** Room for a name or a path that the kernel copies out. */
const textSize = 4096;
const LINK_RAW_TRACEPOINT = 1;
const LINK_TRACING = 2;
const LINK_CGROUP = 3;
const LINK_ITER = 4;
const LINK_NETNS = 5;
const LINK_XDP = 6;
const LINK_PERF_EVENT = 7;
const LINK_KPROBE_MULTI = 8;
const LINK_STRUCT_OPS = 9;
const LINK_NETFILTER = 10;
const LINK_TCX = 11;
const LINK_UPROBE_MULTI = 12;
const LINK_NETKIT = 13;
const LINK_SOCKMAP = 14;

/** `enum bpf_perf_event_type`, in its order. */
const perfEvents = [undefined, "uprobe", "uretprobe", "kprobe", "kretprobe", "tracepoint", "event"] as const;
type PerfEventKind = (typeof perfEvents)[number];

/** Asks the kernel about a link (5.8). */
export function readLinkInfo(fd: FileDescriptor, object: string): LinkInfo {
  const first = new AttrBuffer(infoSize);
  bpfObjectInfo(fd, first.bytes, object);
  const type = first.getU32(0);
  const fields = textFields(type, perfEvents[first.getU32(16)]);
  if (fields === undefined) return decode(type, first, "");
  // These have a text, for which the kernel wants to be given room.
  const text = new Uint8Array(textSize);
  const second = new AttrBuffer(infoSize).pointer(fields.pointer, text).u32(fields.size, textSize);
  bpfObjectInfo(fd, second.bytes, object);
  return decode(type, second, new TextDecoder().decode(text.subarray(0, Math.max(0, text.indexOf(0)))));
}

/** Where the address and the size of a kind's text lie; undefined for kinds without one. */
function textFields(
  type: number,
  event: PerfEventKind,
): { readonly pointer: number; readonly size: number } | undefined {
  switch (type) {
    case LINK_RAW_TRACEPOINT:
    case LINK_ITER:
      return { pointer: 16, size: 24 };
    case LINK_UPROBE_MULTI:
      return { pointer: 16, size: 48 };
    case LINK_PERF_EVENT:
      return event === undefined || event === "event" ? undefined : { pointer: 24, size: 32 };
    default:
      return undefined;
  }
}

/** The part of `struct bpf_link_info` about a perf event: its kind at byte 16, the rest from 24. */
function perfEventInfo(event: PerfEventKind, info: AttrBuffer, text: string): PerfEventInfo {
  switch (event) {
    case "uprobe":
    case "uretprobe":
      return {
        event,
        path: text,
        offset: info.getU32(36),
        referenceCounter: info.getBigint(48),
        cookie: info.getBigint(40),
      };
    case "kprobe":
    case "kretprobe":
      return {
        event,
        symbol: text,
        offset: info.getU32(36),
        address: info.getBigint(40),
        missed: info.getBigint(48),
        cookie: info.getBigint(56),
      };
    case "tracepoint":
      return { event, name: text, cookie: info.getBigint(40) };
    case "event":
      return { event, type: info.getU32(32), config: info.getBigint(24), cookie: info.getBigint(40) };
    default:
      return { event: undefined };
  }
}

function decode(type: number, info: AttrBuffer, text: string): LinkInfo {
  const base = { id: info.getU32(4), programId: info.getU32(8) };
  const [a, b] = [info.getU32(16), info.getU32(20)];
  switch (type) {
    case LINK_RAW_TRACEPOINT:
      return { ...base, kind: "raw_tracepoint", name: text };
    case LINK_TRACING:
      return { ...base, kind: "tracing", attachType: a, objectId: b, btfId: info.getU32(24) };
    case LINK_CGROUP:
      return { ...base, kind: "cgroup", cgroupId: info.getBigint(16), attachType: info.getU32(24) };
    case LINK_ITER:
      return { ...base, kind: "iter", name: text };
    case LINK_NETNS:
      return { ...base, kind: "netns", netnsInode: a, attachType: b };
    case LINK_XDP:
      return { ...base, kind: "xdp", interfaceIndex: a };
    case LINK_PERF_EVENT:
      return { ...base, kind: "perf_event", ...perfEventInfo(perfEvents[a], info, text) };
    case LINK_KPROBE_MULTI:
      return {
        ...base,
        kind: "kprobe_multi",
        count: info.getU32(24),
        flags: info.getU32(28),
        missed: info.getBigint(32),
      };
    case LINK_STRUCT_OPS:
      return { ...base, kind: "struct_ops", mapId: a };
    case LINK_NETFILTER:
      return {
        ...base,
        kind: "netfilter",
        family: a,
        hook: b,
        priority: info.getI32(24),
        flags: info.getU32(28),
      };
    case LINK_TCX:
      return { ...base, kind: "tcx", interfaceIndex: a, attachType: b };
    case LINK_UPROBE_MULTI:
      return {
        ...base,
        kind: "uprobe_multi",
        path: text,
        count: info.getU32(52),
        flags: info.getU32(56),
        pid: info.getU32(60),
      };
    case LINK_NETKIT:
      return { ...base, kind: "netkit", interfaceIndex: a, attachType: b };
    case LINK_SOCKMAP:
      return { ...base, kind: "sockmap", mapId: a, attachType: b };
    default:
      return { ...base, kind: "other", type };
  }
}
