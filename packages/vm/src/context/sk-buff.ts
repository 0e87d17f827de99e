// SPDX-License-Identifier: Apache-2.0

import { ProgramType } from "@skep/ebpf";
import type { ContextLayout, PacketFields } from "./context-layout.ts";
import { type AccessRules, contextFields, members, pointer, type StructField } from "./struct-fields.ts";

/** Bytes of `struct __sk_buff`. */
const SIZE = 192;

/** The members of `struct __sk_buff`. */
const skBuff: readonly StructField[] = [
  ...members(4, "len pkt_type mark queue_mapping protocol vlan_present vlan_tci vlan_proto priority"),
  ...members(4, "ingress_ifindex ifindex tc_index cb[5] hash tc_classid"),
  { name: "data", size: 4, pointer: "packet" },
  { name: "data_end", size: 4, pointer: "packet-end" },
  ...members(4, "napi_id family remote_ip4 local_ip4 remote_ip6[4] local_ip6[4] remote_port local_port"),
  { name: "data_meta", size: 4, pointer: "packet-meta" },
  pointer("flow_keys", "flow-keys"),
  ...members(8, "tstamp"),
  ...members(4, "wire_len gso_segs"),
  pointer("sk", "socket"),
  ...members(4, "gso_size"),
  ...members(1, "tstamp_type"),
  ...members(8, "hwtstamp"),
];

const addresses = "remote_ip4 local_ip4 remote_ip6 local_ip6";
const socket = `family ${addresses} remote_port local_port`;
const always = {
  parts: "*",
  whole: addresses,
  wide: "cb",
} satisfies AccessRules;

/** sk_filter_is_valid_access. */
const socketFilter: AccessRules = {
  ...always,
  hidden: `tc_classid data data_end data_meta flow_keys ${socket} tstamp wire_len tstamp_type hwtstamp`,
  writeParts: "cb",
};

/** tc_cls_act_is_valid_access. */
const classifier: AccessRules = {
  ...always,
  hidden: `flow_keys ${socket}`,
  write: "mark queue_mapping priority tc_index tc_classid tstamp",
  halves: "tc_index tc_classid",
  queue: "queue_mapping",
  writeParts: "cb",
};

/** cg_skb_is_valid_access, with CAP_BPF. */
const cgroup: AccessRules = {
  ...always,
  hidden: "tc_classid data_meta flow_keys wire_len tstamp_type",
  write: "mark priority tstamp",
  writeParts: "cb",
};

/** lwt_is_valid_access. */
const tunnel: AccessRules = {
  ...always,
  hidden: `tc_classid data_meta flow_keys ${socket} tstamp wire_len tstamp_type hwtstamp`,
  write: "mark priority",
  writeParts: "cb",
};

/** sk_skb_is_valid_access. */
const stream: AccessRules = {
  ...always,
  hidden: "mark tc_classid data_meta flow_keys tstamp wire_len tstamp_type hwtstamp",
  write: "priority tc_index",
  halves: "tc_index",
};

/** flow_dissector_is_valid_access. */
const dissector: AccessRules = { visible: "data data_end flow_keys" };

/** NET_SKB_PAD of x86 and arm64. */
const HEADROOM = 64;
/** `__bpf_skb_max_len` of the loopback device: its MTU and an Ethernet header. */
const GROWTH = 65_550;

function layout(
  programType: ProgramType,
  rules: AccessRules,
  begins: PacketFields["begins"],
  access: PacketFields["access"],
): ContextLayout {
  const fields = contextFields(skBuff, rules);
  const at = (name: string): number => fields.find((field) => field.name === name)?.offset ?? 0;
  return {
    programType,
    name: "struct __sk_buff",
    size: SIZE,
    fields,
    bytes: undefined,
    packet: {
      data: at("data"),
      dataEnd: at("data_end"),
      dataMeta: at("data_meta"),
      length: at("len"),
      headroom: HEADROOM,
      growth: GROWTH,
      begins,
      access,
    },
  };
}

/** The contexts that are a `struct __sk_buff`, each with its program type's rules. */
export const skBuffLayouts: readonly ContextLayout[] = [
  layout(ProgramType.SOCKET_FILTER, socketFilter, "network", "none"),
  layout(ProgramType.SCHED_CLS, classifier, "frame", "write"),
  layout(ProgramType.SCHED_ACT, classifier, "frame", "write"),
  layout(ProgramType.CGROUP_SKB, cgroup, "network", "read"),
  layout(ProgramType.LWT_IN, tunnel, "network", "read"),
  layout(ProgramType.LWT_OUT, tunnel, "network", "read"),
  layout(ProgramType.LWT_XMIT, tunnel, "network", "write"),
  layout(ProgramType.LWT_SEG6LOCAL, tunnel, "network", "read"),
  layout(ProgramType.SK_SKB, stream, "bytes", "write"),
  layout(ProgramType.FLOW_DISSECTOR, dissector, "frame", "read"),
];
