// SPDX-License-Identifier: Apache-2.0

import { NotSupportedError } from "@skep/ebpf";
import { isSystemCallError } from "@skep/linux";

/** One thing that was tried. */
export interface Finding {
  /** What it is about, such as `ring buffer`. */
  readonly name: string;
  /** `unknown` when what was seen does not decide it; `detail` says what that was. */
  readonly state: "yes" | "no" | "unknown";
  /** What was found, or the error. */
  readonly detail: string;
  /** What a person can do about a `no`. */
  readonly remedy?: string;
}

/**
 * Runs a trial and words what came of it: `yes` when it ends, `no` when the kernel says that it lacks the feature or
 * does not allow it, `unknown` after any other error.
 */
export function tryOut(name: string, trial: () => string, remedy?: string): Finding {
  try {
    return { name, state: "yes", detail: trial() };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const refused =
      error instanceof NotSupportedError ||
      isSystemCallError(error, "EPERM", "EACCES", "EINVAL", "ENOSYS", "ENOTSUPP", "EOPNOTSUPP", "E2BIG");
    return { name, state: refused ? "no" : "unknown", detail, ...(refused && remedy !== undefined && { remedy }) };
  }
}
