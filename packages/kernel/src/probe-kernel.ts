// SPDX-License-Identifier: Apache-2.0

import { kernelRelease, unsupportedReason } from "@skep/linux";
import { bpfFindings } from "./probe-bpf.ts";
import type { Finding } from "./probe-result.ts";
import { systemFindings } from "./probe-system.ts";

/** What this kernel and this user can do. Plain data, fit for JSON. */
export interface KernelReport {
  /** The kernel's release, such as `6.12.43+deb13-cloud-amd64`; empty where it is not Linux. */
  readonly release: string;
  /** `x64` or `arm64`, as Node names it. */
  readonly architecture: string;
  readonly findings: readonly Finding[];
}

/**
 * Tries out what Skep needs by the feature probes (`haveMapType` and those like it), and looks at what the system allows.
 * Takes some 50 ms, most of it for reading the kernel's types.
 */
export function probeKernel(): KernelReport {
  const architecture = process.arch;
  const reason = unsupportedReason();
  if (reason !== undefined) {
    const detail = `${reason}; recordings can be played`;
    return { release: "", architecture, findings: [{ name: "system calls", state: "no", detail }] };
  }
  return { release: kernelRelease(), architecture, findings: [...systemFindings(), ...bpfFindings()] };
}
