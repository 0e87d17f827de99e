// SPDX-License-Identifier: Apache-2.0

import { type CapabilityName, processCapabilities } from "@skep/linux";

/**
 * Says which capability this process lacks, for the detail of an EPERM; undefined when it has what was asked for
 * (the cause is another one then). CAP_SYS_ADMIN stands for the two others, as before Linux 5.8.
 */
export function missingCapability(wanted: CapabilityName): string | undefined {
  const held = processCapabilities();
  if (held.has(wanted) || held.has("CAP_SYS_ADMIN")) return undefined;
  return `this process has neither ${wanted} nor CAP_SYS_ADMIN`;
}
