// SPDX-License-Identifier: Apache-2.0

import type { FibAnswer, FibQuery } from "./fib.ts";

/** What programs of packets find around them: devices, routes, cgroups. All of it is the host's to say. */
export interface VmNetwork {
  /**
   * The MTU of an interface, undefined where there is none. Without it there is the loopback device alone: 1, with 65,536.
   */
  readonly mtu?: (interfaceIndex: number) => number | undefined;
  /** Answers `bpf_fib_lookup`; without it nothing is forwarded (BPF_FIB_LKUP_RET_NOT_FWDED). */
  readonly fib?: (query: FibQuery) => FibAnswer | undefined;
  /** `bpf_get_cgroup_classid`; 0 without. */
  readonly cgroupClassId?: number;
  /** `bpf_get_route_realm`; 0 without. */
  readonly routeRealm?: number;
  /** `bpf_skb_cgroup_id` and its kin; 0 without. */
  readonly cgroupId?: bigint;
  /** `bpf_get_netns_cookie`; 1 without. */
  readonly networkNamespaceCookie?: bigint;
}

/** The MTU of the loopback device. */
const LOOPBACK_MTU = 65_536;
const LOOPBACK = 1;

/** The MTU of an interface as a network has it. */
export function mtuOf(network: VmNetwork, interfaceIndex: number): number | undefined {
  if (network.mtu !== undefined) return network.mtu(interfaceIndex);
  return interfaceIndex === LOOPBACK ? LOOPBACK_MTU : undefined;
}
