// SPDX-License-Identifier: Apache-2.0

import { AttachType, type BpfMap, type InterfacePoint, InvalidValueError, NotSupportedError } from "@skep/ebpf";
import {
  inNetworkNamespace,
  isSystemCallError,
  networkInterfaces,
  type QueryOptions,
  queryPrograms,
} from "@skep/linux";
import { pointIndex } from "./attach-network.ts";
import { KernelMap } from "./kernel-map.ts";
import { newerThanKernel } from "./minimum-version.ts";
import { openForReading } from "./open-for-reading.ts";

const BPF_F_QUERY_EFFECTIVE = 1;

/** A place where several programs can be. */
export type AttachPlace =
  | { readonly xdp: InterfacePoint }
  | { readonly tcx: InterfacePoint & { readonly direction: "ingress" | "egress" } }
  | { readonly netkit: InterfacePoint & { readonly end: "primary" | "peer" } }
  | {
      /** Path of the cgroup's folder. */
      readonly cgroup: string;
      readonly attachType: AttachType;
      /** With those of the cgroups around it, as they run; only its own when false or absent. */
      readonly effective?: boolean;
    }
  | {
      /** Path of a network namespace. */
      readonly netns: string;
      readonly attachType: AttachType;
    }
  | {
      readonly sockmap: BpfMap;
      /** Of SK_SKB_STREAM_PARSER, SK_SKB_STREAM_VERDICT, SK_SKB_VERDICT and SK_MSG_VERDICT. */
      readonly attachType: AttachType;
    };

/** What is attached at a place. */
export interface AttachedPrograms {
  /**
   * Changes with each attach and detach: what `revision` of a target is compared with. 0 where the kernel keeps
   * none.
   */
  readonly revision: bigint;
  /** In the order in which they run. */
  readonly programs: readonly AttachedProgram[];
}

/** One of them. */
export interface AttachedProgram {
  readonly programId: number;
  /** Undefined when it has no link, or the kernel does not tell. */
  readonly linkId: number | undefined;
  /** For XDP: on the device, in its driver, or after the kernel made a packet. */
  readonly mode?: "driver" | "generic" | "offload";
}

/**
 * The programs at a place, by BPF_PROG_QUERY (cgroups 4.15, network namespaces 5.8, sockmaps 5.17, tcx 6.6, netkit 6.7),
 * for XDP by rtnetlink (4.19). Throws NotSupportedError on older kernels.
 */
export function queryAttached(place: AttachPlace): AttachedPrograms {
  if ("xdp" in place) return xdpOf(place.xdp);
  if ("sockmap" in place) {
    const { sockmap, attachType } = place;
    const object = `sockmap "${sockmap.spec.name}"`;
    if (!(sockmap instanceof KernelMap)) throw new InvalidValueError(`${object} belongs to another engine`);
    return query({ target: sockmap.fd, attachType }, object, "5.17");
  }
  if ("tcx" in place) {
    const attachType = place.tcx.direction === "ingress" ? AttachType.TCX_INGRESS : AttachType.TCX_EGRESS;
    return atInterface(place.tcx, attachType, "tcx", "6.6");
  }
  if ("netkit" in place) {
    const attachType = place.netkit.end === "primary" ? AttachType.NETKIT_PRIMARY : AttachType.NETKIT_PEER;
    return atInterface(place.netkit, attachType, "netkit", "6.7");
  }
  const [path, object, since] =
    "cgroup" in place
      ? [place.cgroup, `cgroup ${place.cgroup}`, "4.15"]
      : [place.netns, `network namespace ${place.netns}`, "5.8"];
  using target = openForReading(path, object);
  const flags = "effective" in place && place.effective === true ? BPF_F_QUERY_EFFECTIVE : 0;
  return query({ target, attachType: place.attachType, flags }, object, since);
}

/** The kernel keeps no revision, and tells no links. */
function xdpOf(point: InterfacePoint): AttachedPrograms {
  return inNetworkNamespace(point.netns, () => {
    const index = pointIndex(point);
    const { xdp = [] } = networkInterfaces().find((each) => each.index === index) ?? {};
    return { revision: 0n, programs: xdp.map((each) => ({ ...each, linkId: undefined })) };
  });
}

function atInterface(point: InterfacePoint, attachType: AttachType, what: string, since: string): AttachedPrograms {
  return inNetworkNamespace(point.netns, () => {
    const target = pointIndex(point);
    return query({ target, attachType, links: true }, `${what} of interface ${point.interface}`, since);
  });
}

function query(options: QueryOptions, object: string, since: string): AttachedPrograms {
  try {
    const { programIds, linkIds, revision } = queryPrograms(options, object);
    const programs = [...programIds].map((programId, index) => ({ programId, linkId: linkIds[index] || undefined }));
    return { revision, programs };
  } catch (error) {
    if (!isSystemCallError(error, "EINVAL")) throw error;
    const version = newerThanKernel(since);
    if (version !== undefined)
      throw new NotSupportedError(`the list of programs at ${object}`, version, { cause: error });
    throw new InvalidValueError(`${object}: nothing of attach type ${options.attachType} can be there`, {
      cause: error,
    });
  }
}
