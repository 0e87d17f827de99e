// SPDX-License-Identifier: Apache-2.0

import { AttachType, ProgramType } from "@skep/ebpf";
import type { ContextLayout } from "./context-layout.ts";
import { contextFields, members, pointer, type StructField } from "./struct-fields.ts";

/** `struct bpf_cgroup_dev_ctx`: cgroup_dev_is_valid_access. */
export const cgroupDeviceLayout: ContextLayout = {
  programType: ProgramType.CGROUP_DEVICE,
  name: "struct bpf_cgroup_dev_ctx",
  size: 12,
  fields: contextFields(members(4, "access_type major minor"), { parts: "access_type" }),
  bytes: undefined,
  packet: undefined,
};

/** `struct bpf_sysctl`: sysctl_is_valid_access. */
export const cgroupSysctlLayout: ContextLayout = {
  programType: ProgramType.CGROUP_SYSCTL,
  name: "struct bpf_sysctl",
  size: 8,
  fields: contextFields(members(4, "write file_pos"), { parts: "*", write: "file_pos" }),
  bytes: undefined,
  packet: undefined,
};

const bpfSockopt: readonly StructField[] = [
  pointer("sk", "socket"),
  pointer("optval", "memory"),
  pointer("optval_end", "memory-end"),
  { name: "level", size: 4, signed: true },
  { name: "optname", size: 4, signed: true },
  { name: "optlen", size: 4, signed: true },
  { name: "retval", size: 4, signed: true },
];

/** `struct bpf_sockopt` as programs of an attach type have it: cg_sockopt_is_valid_access. */
export function cgroupSockoptLayout(attachType: number): ContextLayout {
  const getting = attachType === AttachType.CGROUP_GETSOCKOPT;
  return {
    programType: ProgramType.CGROUP_SOCKOPT,
    name: "struct bpf_sockopt",
    size: 40,
    fields: contextFields(
      bpfSockopt,
      getting ? { write: "optlen retval" } : { hidden: "retval", write: "level optname optlen" },
    ),
    bytes: undefined,
    packet: {
      data: 8,
      dataEnd: 16,
      dataMeta: undefined,
      length: undefined,
      headroom: 0,
      growth: 0,
      begins: "bytes",
      access: "write",
    },
  };
}
