// SPDX-License-Identifier: Apache-2.0

import { BpfCommand, bpfError, errnoName, unsupportedReason } from "@skep/linux";
import { missingCapability } from "../privileges.ts";

/** What was learned about a feature of the running kernel. Plain data. */
export type FeatureSupport =
  | { readonly state: "yes" }
  | {
      readonly state: "no";
      /** First kernel that can have it. A newer kernel that answers no was built without. */
      readonly minimumVersion: string | undefined;
      /** What the kernel answered. */
      readonly reason: string;
    }
  | {
      /** What was seen does not decide it: most often, this process may not try. */
      readonly state: "unknown";
      readonly reason: string;
    };

/** The answers by which kernels tell that they do not know what they were asked for. */
const absence: readonly string[] = ["EINVAL", "E2BIG", "EOPNOTSUPP", "ENOTSUPP", "ENOSYS"];

const known = new Map<string, FeatureSupport>();

/** A kernel does not change while it runs, so what was decided once is kept; what was not is tried again. */
export function remembered(key: string, probe: () => FeatureSupport): FeatureSupport {
  const before = known.get(key);
  if (before !== undefined) return before;
  const reason = unsupportedReason();
  if (reason !== undefined) return { state: "unknown", reason };
  const support = probe();
  if (support.state !== "unknown") known.set(key, support);
  return support;
}

/** An attempt: which command, and its errno, 0 when it worked. */
export interface Attempt {
  readonly command: BpfCommand;
  readonly errno: number;
}

/** A feature and how it is found. */
export interface Feature {
  /** First kernel that has it. */
  readonly since: string;
  /** Tries it; or asks another probe. */
  readonly attempt: () => Attempt | FeatureSupport;
  /** Errors that only a kernel which has it gets as far as. */
  readonly proofs?: readonly string[];
}

/**
 * Yes when it worked, or failed with one of `proofs`: errors that only a kernel with the feature gets as far as. No when
 * the kernel did not understand.
 */
export function judge(
  { command, errno }: Attempt,
  minimumVersion: string | undefined,
  proofs: readonly string[] = [],
): FeatureSupport {
  const name = errnoName(errno);
  if (errno === 0 || proofs.includes(name)) return { state: "yes" };
  const limited = command === BpfCommand.PROG_LOAD ? limitedVerifier() : undefined;
  const detail = name === "EPERM" ? missingCapability("CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN") : limited;
  const reason = bpfError(command, errno, undefined, detail).message;
  const decided = absence.includes(name) && limited === undefined;
  return decided ? { state: "no", minimumVersion, reason } : { state: "unknown", reason };
}

/**
 * What this process lacks for the verifier to let its programs do all that the kernel can: without, it refuses in the
 * words of a kernel that cannot. Undefined when it lacks nothing.
 */
export function limitedVerifier(): string | undefined {
  const limited = missingCapability("CAP_BPF", "CAP_PERFMON") !== undefined;
  return limited ? missingCapability("CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN") : undefined;
}
