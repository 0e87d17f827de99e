// SPDX-License-Identifier: Apache-2.0

import { NotSupportedError } from "@skep/ebpf";
import type { TestContext } from "vitest";

/**
 * What `attempt` returns. Skips the test when the kernel lacks what it takes, for `reason` or in the error's own words; the
 * list of expected skips then says on which kernels that is right. Any other error stays one.
 */
export function orSkip<T>(ctx: TestContext, attempt: () => T, reason?: string): T {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof NotSupportedError) ctx.skip(reason ?? error.message);
    throw error;
  }
}
