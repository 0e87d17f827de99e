// SPDX-License-Identifier: Apache-2.0

import { AttachType, BPF_F_SLEEPABLE, ProgramType } from "@skep/ebpf";
import type { ProgramLoadOptions } from "@skep/linux";
import { programTypeSince } from "../minimum-version.ts";
import { attemptProgram, returnZero } from "./attempts.ts";
import { type FeatureSupport, judge, remembered } from "./feature-support.ts";

/** What the kernel insists on, by type of program. */
const recipes: Readonly<Record<number, Pick<ProgramLoadOptions, "expectedAttachType" | "flags">>> = {
  [ProgramType.CGROUP_SOCK_ADDR]: { expectedAttachType: AttachType.CGROUP_INET4_CONNECT },
  [ProgramType.CGROUP_SOCKOPT]: { expectedAttachType: AttachType.CGROUP_GETSOCKOPT },
  [ProgramType.TRACING]: { expectedAttachType: AttachType.TRACE_RAW_TP },
  [ProgramType.LSM]: { expectedAttachType: AttachType.LSM_MAC },
  [ProgramType.SK_LOOKUP]: { expectedAttachType: AttachType.SK_LOOKUP },
  [ProgramType.SYSCALL]: { flags: BPF_F_SLEEPABLE },
  [ProgramType.NETFILTER]: { expectedAttachType: AttachType.NETFILTER },
};

/** The rest of a load of a type. */
export function programRecipe(type: ProgramType): Pick<ProgramLoadOptions, "type" | "expectedAttachType" | "flags"> {
  return { type, ...recipes[type] };
}

/**
 * Whether the running kernel has a program type, by loading `return 0`. Of TRACING, STRUCT_OPS, EXT and LSM programs the
 * verifier then says that they lack a target, which it says only of types that it knows.
 */
export function haveProgramType(type: ProgramType): FeatureSupport {
  return remembered(`program type ${type}`, () => {
    const attempt = attemptProgram({ ...programRecipe(type), instructions: returnZero });
    if (attempt.log !== "") return { state: "yes" };
    return judge(attempt, programTypeSince(type));
  });
}
