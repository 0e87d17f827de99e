// SPDX-License-Identifier: Apache-2.0

import { collectDefaultMetrics, Registry } from "prom-client";

/** What `createMetrics` registers. */
export interface MetricsOptions {
  /** Also the process's own metrics: CPU, memory, fds, event loop, garbage collection. Default false. */
  readonly process?: boolean;
}

/** A registry of its own; prom-client's global one stays unused, so that two hosts in a process do not meet. */
export function createMetrics(options: MetricsOptions = {}): Registry {
  const registry = new Registry();
  if (options.process === true) collectDefaultMetrics({ register: registry });
  return registry;
}
