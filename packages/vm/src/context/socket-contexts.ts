// SPDX-License-Identifier: Apache-2.0

import { AttachType, ProgramType } from "@skep/ebpf";
import type { ContextLayout } from "./context-layout.ts";
import { type AccessRules, contextFields, members, pointer, type StructField } from "./struct-fields.ts";

/** The members of `struct bpf_sock`, which `sk` of other contexts points at too. */
export const bpfSock: readonly StructField[] = [
  ...members(4, "bound_dev_if family type protocol mark priority src_ip4 src_ip6[4] src_port"),
  { name: "dst_port", size: 2, gap: 2 },
  ...members(4, "dst_ip4 dst_ip6[4] state"),
  { name: "rx_queue_mapping", size: 4, signed: true },
];

/** Bytes of `struct bpf_sock`. */
export const BPF_SOCK_SIZE = 80;

const socketEverywhere = "family type protocol dst_port dst_ip4 dst_ip6 state rx_queue_mapping";
const socketParts: AccessRules = {
  parts: "* dst_port",
  starts: "family type protocol src_port state rx_queue_mapping",
  whole: "bound_dev_if mark priority",
  padded: "dst_port",
};

/** sock_filter_is_valid_access: what is known of a socket depends on when the program runs. */
function socketRules(attachType: number): AccessRules {
  switch (attachType) {
    case AttachType.CGROUP_INET4_POST_BIND:
      return { ...socketParts, visible: `${socketEverywhere} src_ip4 src_port` };
    case AttachType.CGROUP_INET6_POST_BIND:
      return { ...socketParts, visible: `${socketEverywhere} src_ip6 src_port` };
    default:
      return {
        ...socketParts,
        visible: `${socketEverywhere} bound_dev_if mark priority`,
        write: "bound_dev_if mark priority",
      };
  }
}

/** `struct bpf_sock` as CGROUP_SOCK programs of an attach type have it. */
export function cgroupSockLayout(attachType: number): ContextLayout {
  return {
    programType: ProgramType.CGROUP_SOCK,
    name: "struct bpf_sock",
    size: BPF_SOCK_SIZE,
    fields: contextFields(bpfSock, socketRules(attachType)),
    bytes: undefined,
    packet: undefined,
  };
}

const bpfSockAddr: readonly StructField[] = [
  ...members(4, "user_family user_ip4 user_ip6[4] user_port family type protocol msg_src_ip4 msg_src_ip6[4]"),
  pointer("sk", "socket"),
];

/** sock_addr_is_valid_access: the family and the source depend on the hook. */
function addressRules(attachType: number): AccessRules {
  const always = "user_family user_port family type protocol sk";
  const common: AccessRules = {
    parts: "user_ip4 user_ip6 user_port msg_src_ip4 msg_src_ip6",
    write: "user_ip4 user_ip6 user_port msg_src_ip4 msg_src_ip6",
    halves: "user_port",
    wide: "user_ip6 msg_src_ip6",
  };
  switch (attachType) {
    case AttachType.CGROUP_UDP4_SENDMSG:
      return { ...common, visible: `${always} user_ip4 msg_src_ip4` };
    case AttachType.CGROUP_UDP6_SENDMSG:
      return { ...common, visible: `${always} user_ip6 msg_src_ip6` };
    case AttachType.CGROUP_INET6_BIND:
    case AttachType.CGROUP_INET6_CONNECT:
    case AttachType.CGROUP_UDP6_RECVMSG:
    case AttachType.CGROUP_INET6_GETPEERNAME:
    case AttachType.CGROUP_INET6_GETSOCKNAME:
      return { ...common, visible: `${always} user_ip6` };
    case AttachType.CGROUP_UNIX_CONNECT:
    case AttachType.CGROUP_UNIX_SENDMSG:
    case AttachType.CGROUP_UNIX_RECVMSG:
    case AttachType.CGROUP_UNIX_GETPEERNAME:
    case AttachType.CGROUP_UNIX_GETSOCKNAME:
      return { ...common, visible: always };
    default:
      return { ...common, visible: `${always} user_ip4` };
  }
}

/** `struct bpf_sock_addr` as CGROUP_SOCK_ADDR programs of an attach type have it. */
export function cgroupSockAddrLayout(attachType: number): ContextLayout {
  return {
    programType: ProgramType.CGROUP_SOCK_ADDR,
    name: "struct bpf_sock_addr",
    size: 72,
    fields: contextFields(bpfSockAddr, addressRules(attachType)),
    bytes: undefined,
    packet: undefined,
  };
}

/** `struct bpf_sk_lookup`: sk_lookup_is_valid_access. */
export const skLookupLayout: ContextLayout = {
  programType: ProgramType.SK_LOOKUP,
  name: "struct bpf_sk_lookup",
  size: 72,
  fields: contextFields(
    [
      pointer("sk", "socket"),
      ...members(4, "family protocol remote_ip4 remote_ip6[4]"),
      ...members(2, "remote_port remote_port_zeros"),
      ...members(4, "local_ip4 local_ip6[4] local_port ingress_ifindex"),
    ],
    { parts: "* remote_port remote_port_zeros", padded: "remote_port" },
  ),
  bytes: undefined,
  packet: undefined,
};

/** `struct sk_msg_md`: sk_msg_is_valid_access. */
export const skMsgLayout: ContextLayout = {
  programType: ProgramType.SK_MSG,
  name: "struct sk_msg_md",
  size: 80,
  fields: contextFields(
    [
      pointer("data", "packet"),
      pointer("data_end", "packet-end"),
      ...members(4, "family remote_ip4 local_ip4 remote_ip6[4] local_ip6[4] remote_port local_port size"),
      pointer("sk", "socket"),
    ],
    {},
  ),
  bytes: undefined,
  packet: {
    data: 0,
    dataEnd: 8,
    dataMeta: undefined,
    length: 68,
    headroom: 0,
    growth: 65_535,
    begins: "bytes",
    access: "write",
  },
};

/** `struct bpf_sock_ops`: sock_ops_is_valid_access. `args` shares its place with `reply` and `replylong`. */
export const sockOpsLayout: ContextLayout = {
  programType: ProgramType.SOCK_OPS,
  name: "struct bpf_sock_ops",
  size: 224,
  fields: contextFields(
    [
      ...members(4, "op reply args_1 args_2 args_3 family remote_ip4 local_ip4 remote_ip6[4] local_ip6[4]"),
      ...members(4, "remote_port local_port is_fullsock snd_cwnd srtt_us bpf_sock_ops_cb_flags state rtt_min"),
      ...members(4, "snd_ssthresh rcv_nxt snd_nxt snd_una mss_cache ecn_flags rate_delivered rate_interval_us"),
      ...members(4, "packets_out retrans_out total_retrans segs_in data_segs_in segs_out data_segs_out lost_out"),
      ...members(4, "sacked_out sk_txhash"),
      ...members(8, "bytes_received bytes_acked"),
      pointer("sk", "socket"),
      pointer("skb_data", "packet"),
      pointer("skb_data_end", "packet-end"),
      ...members(4, "skb_len skb_tcp_flags"),
      ...members(8, "skb_hwtstamp"),
    ],
    { starts: "skb_tcp_flags", write: "reply sk_txhash" },
  ),
  bytes: undefined,
  packet: {
    data: 192,
    dataEnd: 200,
    dataMeta: undefined,
    length: 208,
    headroom: 0,
    growth: 0,
    begins: "bytes",
    access: "read",
  },
};

/** `struct sk_reuseport_md`: sk_reuseport_is_valid_access. Data begins at the transport header. */
export const skReuseportLayout: ContextLayout = {
  programType: ProgramType.SK_REUSEPORT,
  name: "struct sk_reuseport_md",
  size: 56,
  fields: contextFields(
    [
      pointer("data", "packet"),
      pointer("data_end", "packet-end"),
      ...members(4, "len eth_protocol ip_protocol bind_inany hash"),
      pointer("sk", "socket"),
      pointer("migrating_sk", "socket"),
    ],
    { parts: "*", whole: "hash" },
  ).map((field) => (field.name === "eth_protocol" ? { ...field, read: 2 } : field)),
  bytes: undefined,
  packet: {
    data: 0,
    dataEnd: 8,
    dataMeta: undefined,
    length: 16,
    headroom: 0,
    growth: 0,
    begins: "bytes",
    access: "read",
  },
};
