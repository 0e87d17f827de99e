// SPDX-License-Identifier: Apache-2.0

import type { AttachType } from "./attach-type.ts";

/** What every link has. */
export interface LinkInfoBase {
  /** The link's id. */
  readonly id: number;
  /** Id of the program that is attached now; 0 for struct_ops. */
  readonly programId: number;
}

/**
 * What the kernel tells about a link (BPF_OBJ_GET_INFO_BY_FD, 5.8), by its kind in bpftool's words. `other` is a
 * kind that is known by number only. An `interfaceIndex` or `netnsInode` of 0 means that the link was detached.
 */
export type LinkInfo = LinkInfoBase &
  (
    | { readonly kind: "raw_tracepoint"; readonly name: string }
    | { readonly kind: "tracing"; readonly attachType: AttachType; readonly objectId: number; readonly btfId: number }
    | { readonly kind: "cgroup"; readonly cgroupId: bigint; readonly attachType: AttachType }
    | { readonly kind: "iter"; readonly name: string }
    | { readonly kind: "netns"; readonly netnsInode: number; readonly attachType: AttachType }
    | { readonly kind: "xdp"; readonly interfaceIndex: number }
    | { readonly kind: "tcx" | "netkit"; readonly interfaceIndex: number; readonly attachType: AttachType }
    | {
        readonly kind: "netfilter";
        /** NFPROTO_IPV4 is 2, NFPROTO_IPV6 10. */
        readonly family: number;
        /** `enum nf_inet_hooks`. */
        readonly hook: number;
        readonly priority: number;
        readonly flags: number;
      }
    | { readonly kind: "struct_ops"; readonly mapId: number }
    | { readonly kind: "sockmap"; readonly mapId: number; readonly attachType: AttachType }
    | { readonly kind: "kprobe_multi"; readonly count: number; readonly flags: number; readonly missed: bigint }
    | {
        readonly kind: "uprobe_multi";
        readonly path: string;
        readonly count: number;
        readonly flags: number;
        /** 0 for every process. */
        readonly pid: number;
      }
    | (PerfEventInfo & { readonly kind: "perf_event" })
    | { readonly kind: "other"; readonly type: number }
  );

/**
 * What a link to a perf event is linked to (6.6): `event` is undefined where the kernel does not tell. The cookie is 0
 * before 6.9.
 */
export type PerfEventInfo =
  | { readonly event: undefined }
  | {
      readonly event: "uprobe" | "uretprobe";
      readonly path: string;
      /** Bytes from the beginning of the file. */
      readonly offset: number;
      /** File offset of the counter that is raised meanwhile; 0 for none, and before 6.17. */
      readonly referenceCounter: bigint;
      readonly cookie: bigint;
    }
  | {
      readonly event: "kprobe" | "kretprobe";
      readonly symbol: string;
      readonly offset: number;
      /** 0 where kptr_restrict hides it. */
      readonly address: bigint;
      /** Calls that did not run the program. */
      readonly missed: bigint;
      readonly cookie: bigint;
    }
  | { readonly event: "tracepoint"; readonly name: string; readonly cookie: bigint }
  | {
      readonly event: "event";
      /** `enum perf_type_id`, or the number of the PMU that has the event: the software clocks have one each. */
      readonly type: number;
      readonly config: bigint;
      readonly cookie: bigint;
    };
