// SPDX-License-Identifier: Apache-2.0

import { closeSync, openSync } from "node:fs";
import { systemCall } from "./system-call.ts";

const CLONE_NEWNET = 0x4000_0000;

/**
 * Runs a synchronous function in a network namespace, given by a path (`/run/netns/blue`, `/proc/1/ns/net`) or an open
 * descriptor, and comes back before it returns: this thread alone is moved, and nothing else of Node runs
 * meanwhile. Without a namespace the function runs where the thread is. Needs CAP_SYS_ADMIN.
 */
export function inNetworkNamespace<T>(namespace: string | number | undefined, run: () => T): T {
  if (namespace === undefined) return run();
  const own = openSync("/proc/thread-self/ns/net", "r");
  try {
    const wanted = typeof namespace === "number" ? namespace : openSync(namespace, "r");
    try {
      systemCall("setns", `network namespace ${namespace}`, wanted, CLONE_NEWNET);
    } finally {
      if (wanted !== namespace) closeSync(wanted);
    }
    try {
      return run();
    } finally {
      systemCall("setns", "this thread's own network namespace", own, CLONE_NEWNET);
    }
  } finally {
    closeSync(own);
  }
}
