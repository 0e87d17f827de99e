// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits until `check` gives something other than undefined or false, trying every 20 ms. Throws after `timeout`
 * milliseconds with what was waited for.
 */
export async function waitUntil<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
  timeout = 10_000,
): Promise<T> {
  const deadline = performance.now() + timeout;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`waited ${timeout} ms for ${what}`);
    await sleep(20);
  }
}
