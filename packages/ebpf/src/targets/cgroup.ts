// SPDX-License-Identifier: Apache-2.0

import type { AttachType } from "../attach-type.ts";
import type { Ordering } from "./ordering.ts";

/**
 * A cgroup (v2), by the path of its folder: the program runs for its processes and those of the cgroups in it.
 * Linux 4.10, by bpf_link 5.7. Ordering: 6.17, links only.
 */
export interface CgroupTarget extends Ordering {
  readonly cgroup: string;
  /** What the program was loaded for (`expectedAttachType`) when absent. */
  readonly attachType?: AttachType;
  /**
   * `link`: by bpf_link, which goes when it is closed or this process ends. The others use BPF_PROG_ATTACH, whose
   * attachment outlives a process that dies without closing: `multi` beside other programs, `override` unless a cgroup
   * inside has its own, `exclusive` alone. Absent: a link, or `multi` on kernels before 5.7.
   */
  readonly mode?: "link" | "multi" | "override" | "exclusive";
}
