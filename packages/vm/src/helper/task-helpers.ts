// SPDX-License-Identifier: Apache-2.0

import { Errno } from "./errno.ts";
import type { Helper } from "./helper.ts";

/** The task that programs find themselves in. Read at each call, so that a host may change it between runs. */
export interface TaskInfo {
  /** The thread. */
  readonly pid: number;
  /** The process. */
  readonly tgid: number;
  readonly uid: number;
  readonly gid: number;
  /** Up to 15 bytes of UTF-8 are shown. */
  readonly comm: string;
  /** Of the cgroup v2; and of its ancestors, the root's first (level 0), itself last. */
  readonly cgroupIds: readonly bigint[];
  /** Where the host keeps something for `bpf_get_current_task` to point at, in the engine's memory; 0 for nothing. */
  readonly address: number;
  readonly numaNode: number;
  /** The namespace that the pids above are of: device and inode of /proc/self/ns/pid; absent, none matches. */
  readonly pidNamespace?: { readonly device: bigint; readonly inode: bigint };
}

/** Process 0 of user 0 in the root cgroup, whose id is 1. */
export const nobody: TaskInfo = {
  pid: 0,
  tgid: 0,
  uid: 0,
  gid: 0,
  comm: "vm",
  cgroupIds: [1n],
  address: 0,
  numaNode: 0,
};

/** TASK_COMM_LEN without the NUL. */
const COMM_BYTES = 15;

/** `bpf_get_current_*` and what else a program asks about the task that it runs in. */
export function taskHelpers(task: TaskInfo): Helper[] {
  return [
    {
      id: 14,
      name: "get_current_pid_tgid",
      parameters: [],
      result: "bigint",
      call: () => pair(task.tgid, task.pid),
    },
    { id: 15, name: "get_current_uid_gid", parameters: [], result: "bigint", call: () => pair(task.gid, task.uid) },
    {
      id: 16,
      name: "get_current_comm",
      parameters: [{ writeSized: 1 }, "u32"],
      result: "i32",
      call: (_frame, target: Uint8Array) => {
        const name = new TextEncoder()
          .encode(task.comm)
          .subarray(0, Math.max(0, Math.min(COMM_BYTES, target.length - 1)));
        target.fill(0);
        target.set(name);
        return 0;
      },
    },
    { id: 35, name: "get_current_task", parameters: [], result: "address", call: () => task.address },
    { id: 158, name: "get_current_task_btf", parameters: [], result: "address", call: () => task.address },
    { id: 42, name: "get_numa_node_id", parameters: [], result: "i32", call: () => task.numaNode },
    {
      id: 80,
      name: "get_current_cgroup_id",
      parameters: [],
      result: "bigint",
      call: () => task.cgroupIds.at(-1) ?? 0n,
    },
    {
      id: 123,
      name: "get_current_ancestor_cgroup_id",
      parameters: ["i32"],
      result: "bigint",
      call: (_frame, level: number) => (level < 0 ? 0n : (task.cgroupIds[level] ?? 0n)),
    },
    {
      id: 120,
      name: "get_ns_current_pid_tgid",
      parameters: ["bigint", "bigint", { writeSized: 3 }, "u32"],
      result: "i32",
      call: (_frame, device: bigint, inode: bigint, target: Uint8Array) => {
        const namespace = task.pidNamespace;
        if (target.length !== 8 || namespace?.device !== device || namespace.inode !== inode) {
          target.fill(0);
          return -Errno.EINVAL;
        }
        const view = new DataView(target.buffer, target.byteOffset);
        view.setUint32(0, task.pid, true);
        view.setUint32(4, task.tgid, true);
        return 0;
      },
    },
  ];
}

function pair(high: number, low: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
