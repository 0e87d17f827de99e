// SPDX-License-Identifier: Apache-2.0

import type { RunRoom } from "../../run/run-room.ts";
import { Errno } from "../errno.ts";
import type { Helper, HelperFrame } from "../helper.ts";
import { flowHash } from "./flow-hash.ts";
import type { VmNetwork } from "./packet-world.ts";

const ENOTSUPP = 524;
const EACCES = 13;
const BPF_F_INGRESS = 1;
const BPF_CSUM_LEVEL_QUERY = 0;
const BPF_CSUM_LEVEL_RESET = 3;
const BPF_SKB_CLOCK_REALTIME = 0;
const BPF_SKB_CLOCK_TAI = 2;
const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;
/** Of `struct __sk_buff`. */
const Field = { PROTOCOL: 16, HASH: 68, TSTAMP: 152, TSTAMP_TYPE: 180 } as const;

function at({ memory, state }: HelperFrame, field: number): number {
  return memory.index(state.context) + field;
}

/** The protocol of a socket buffer, in host order. */
function protocolOf(frame: HelperFrame): number {
  return frame.memory.view.getUint16(at(frame, Field.PROTOCOL), false);
}

/** `bpf_get_hash_recalc`: the hash of the packet's flow, computed once; the engine's own function, as the kernel's is secret. */
function hash(frame: HelperFrame): number {
  const { memory, state } = frame;
  const { view } = memory;
  const known = view.getUint32(at(frame, Field.HASH), true);
  if (known !== 0) return known;
  const network = memory.slice(state.networkHeader, Math.max(0, state.packetDataEnd - state.networkHeader));
  const computed = flowHash(protocolOf(frame), network);
  view.setUint32(at(frame, Field.HASH), computed, true);
  return computed;
}

function setHash(frame: HelperFrame, value: number): number {
  frame.memory.view.setUint32(at(frame, Field.HASH), value, true);
  return 0;
}

/** Marks a packet as having met congestion (RFC 3168): 1 when that was possible, 0 when it is not capable of ECN. */
function setCongestionExperienced(frame: HelperFrame): number {
  const { memory, state } = frame;
  const { bytes, view } = memory;
  const length = state.packetDataEnd - state.networkHeader;
  const header = memory.index(state.networkHeader);
  const protocol = protocolOf(frame);
  if (protocol === ETH_P_IP && length >= 20) {
    const tos = bytes[header + 1] ?? 0;
    const ecn = tos & 3;
    if (ecn === 0) return 0;
    if (ecn === 3) return 1;
    bytes[header + 1] = tos | 3;
    // The sum gains what the field lost (RFC 1624): 2 from ECT(1), 1 from ECT(0).
    const sum = view.getUint16(header + 10, false) + (ecn === 1 ? 0xfffd : 0xfffe);
    view.setUint16(header + 10, (sum & 0xffff) + (sum >>> 16), false);
    return 1;
  }
  if (protocol === ETH_P_IPV6 && length >= 40) {
    const ecn = ((bytes[header + 1] ?? 0) >> 4) & 3;
    if (ecn === 0) return 0;
    bytes[header + 1] = (bytes[header + 1] ?? 0) | 0x30;
    return 1;
  }
  return 0;
}

/** Helpers of socket buffers that are called now and then, and what a network says of them. */
export function skbHelpers(network: VmNetwork, room: RunRoom): Helper[] {
  const one = (id: number, name: string, call: Helper["call"], result: Helper["result"] = "u32"): Helper => ({
    id,
    name,
    parameters: ["context"],
    result,
    call,
  });
  return [
    {
      id: 13,
      name: "clone_redirect",
      parameters: ["context", "u32", "u64"],
      result: "i32",
      call({ state }: HelperFrame, _context: number, interfaceIndex: number, flags: number) {
        if (flags !== 0 && flags !== BPF_F_INGRESS) return -Errno.EINVAL;
        room.clones.push({ interfaceIndex, data: room.packetFrom(state.packetData), flags });
        return 0;
      },
    },
    one(17, "get_cgroup_classid", () => network.cgroupClassId ?? 0),
    one(151, "skb_cgroup_classid", () => network.cgroupClassId ?? 0),
    one(24, "get_route_realm", () => network.routeRealm ?? 0),
    one(34, "get_hash_recalc", hash),
    {
      id: 40,
      name: "csum_update",
      parameters: ["context", "u32"],
      result: "i32",
      // No device has summed the packet up.
      call: () => -ENOTSUPP,
    },
    one(41, "set_hash_invalid", (frame) => setHash(frame, 0)),
    {
      id: 48,
      name: "set_hash",
      parameters: ["context", "u32"],
      result: "u32",
      call: (frame: HelperFrame, _context: number, value: number) => setHash(frame, value),
    },
    one(79, "skb_cgroup_id", () => network.cgroupId ?? 0n, "bigint"),
    {
      id: 83,
      name: "skb_ancestor_cgroup_id",
      parameters: ["context", "i32"],
      result: "bigint",
      // The hierarchy is one cgroup: its own ancestor at level 0.
      call: (_frame: HelperFrame, _context: number, level: number) => (level === 0 ? (network.cgroupId ?? 0n) : 0n),
    },
    one(97, "skb_ecn_set_ce", setCongestionExperienced),
    {
      id: 135,
      name: "csum_level",
      parameters: ["context", "u64"],
      result: "i32",
      call(_frame: HelperFrame, _context: number, level: number) {
        if (level === BPF_CSUM_LEVEL_QUERY) return -EACCES;
        return level <= BPF_CSUM_LEVEL_RESET ? 0 : -Errno.EINVAL;
      },
    },
    {
      id: 192,
      name: "skb_set_tstamp",
      parameters: ["context", "bigint", "u32"],
      result: "i32",
      call(frame: HelperFrame, _context: number, time: bigint, type: number) {
        const protocol = protocolOf(frame);
        if (protocol !== ETH_P_IP && protocol !== ETH_P_IPV6) return -Errno.EOPNOTSUPP;
        if (type > BPF_SKB_CLOCK_TAI || (type !== BPF_SKB_CLOCK_REALTIME && time === 0n)) return -Errno.EINVAL;
        frame.memory.view.setBigUint64(at(frame, Field.TSTAMP), time, true);
        frame.memory.view.setUint8(at(frame, Field.TSTAMP_TYPE), type);
        return 0;
      },
    },
  ];
}
