// SPDX-License-Identifier: Apache-2.0

import { ProgramType } from "@skep/ebpf";
import type { ContextLayout } from "./context-layout.ts";
import { contextFields, members } from "./struct-fields.ts";

/** XDP_PACKET_HEADROOM. */
const HEADROOM = 256;
/** A page less the headroom and the `struct skb_shared_info` at its end, as BPF_PROG_RUN lays frames out. */
const GROWTH = 4096 - HEADROOM - 320;

/** The field that only programs of a devmap may read: the interface that a packet leaves by. */
const EGRESS = "egress_ifindex";

function layout(hidden: string): ContextLayout {
  return {
    programType: ProgramType.XDP,
    name: "struct xdp_md",
    size: 24,
    fields: contextFields(
      [
        { name: "data", size: 4, pointer: "packet" },
        { name: "data_end", size: 4, pointer: "packet-end" },
        { name: "data_meta", size: 4, pointer: "packet-meta" },
        ...members(4, `ingress_ifindex rx_queue_index ${EGRESS}`),
      ],
      { hidden },
    ),
    bytes: undefined,
    packet: {
      data: 0,
      dataEnd: 4,
      dataMeta: 8,
      length: undefined,
      headroom: HEADROOM,
      growth: GROWTH,
      begins: "frame",
      access: "write",
    },
  };
}

/** `struct xdp_md`: xdp_is_valid_access. */
export const xdpLayout: ContextLayout = layout(EGRESS);

/** The same of programs in a devmap (BPF_XDP_DEVMAP). */
export const xdpEgressLayout: ContextLayout = layout("");
