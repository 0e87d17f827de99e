// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";

/** Says what is running, and waits for Ctrl-C. Links keep no process alive by themselves, so a timer does. */
export async function untilInterrupted(running: string): Promise<void> {
  const awake = setInterval(() => undefined, 1 << 30);
  const interrupted = once(process, "SIGINT");
  console.log(`${running}; Ctrl-C ends`);
  await interrupted.finally(() => clearInterval(awake));
}
