// SPDX-License-Identifier: Apache-2.0

import type { ContextLayout } from "../../context/context-layout.ts";
import { packetCode } from "../../runtime/packet-code.ts";
import type { RuntimeFunction } from "../../runtime/runtime-function.ts";
import { skbCode } from "../../runtime/skb-code.ts";
import { skbRoomCode } from "../../runtime/skb-room-code.ts";
import { storedFunction } from "../../runtime/stored-function.ts";

const code = { ...packetCode, ...skbCode, ...skbRoomCode } as const;
type PacketFunction = keyof typeof code;

/** The numbers of the helpers of packets that are in C. */
const numbers: readonly (readonly [id: number, name: PacketFunction])[] = [
  [9, "skb_store_bytes"],
  [10, "l3_csum_replace"],
  [11, "l4_csum_replace"],
  [18, "skb_vlan_push"],
  [19, "skb_vlan_pop"],
  [23, "redirect"],
  [26, "skb_load_bytes"],
  [28, "csum_diff"],
  [31, "skb_change_proto"],
  [32, "skb_change_type"],
  [38, "skb_change_tail"],
  [39, "skb_pull_data"],
  [43, "skb_change_head"],
  [44, "xdp_adjust_head"],
  [50, "skb_adjust_room"],
  [54, "xdp_adjust_meta"],
  [65, "xdp_adjust_tail"],
  [68, "skb_load_bytes_relative"],
  [152, "redirect_neigh"],
  [155, "redirect_peer"],
  [188, "xdp_get_buff_len"],
  [189, "xdp_load_bytes"],
  [190, "xdp_store_bytes"],
];

function functionOf(name: PacketFunction): RuntimeFunction {
  return storedFunction(name, code[name], undefined);
}

/** Helpers of packets in C, by number. They check what they are given themselves. */
export function packetRuntimeHelpers(): ReadonlyMap<number, RuntimeFunction> {
  return new Map(numbers.map(([id, name]) => [id, functionOf(name)]));
}

/**
 * What is called before a program runs on a packet of a batch, with the packet's address and length: it writes what the packet
 * tells into the context and the state of the run. Undefined for contexts whose packets have only bounds and a length.
 */
export function enterPacket(layout: ContextLayout): RuntimeFunction | undefined {
  if (layout.name === "struct xdp_md") return functionOf("enter_xdp");
  if (layout.name !== "struct __sk_buff" || layout.packet === undefined) return undefined;
  switch (layout.packet.begins) {
    case "frame":
      return functionOf("enter_frame");
    case "network":
      return functionOf("enter_network");
    default:
      return undefined;
  }
}

/**
 * `BPF_LD | BPF_ABS` and `BPF_IND` of packets: called with the offset, signed, and 1, 2 or 4 bytes, it gives the value in host
 * order, or all ones in 64 bits when it is not in the packet, which ends the program with r0 = 0.
 */
export function packetLoad(): RuntimeFunction {
  return functionOf("packet_load");
}
