// SPDX-License-Identifier: Apache-2.0

import type { Backend, HostInfo, WorkloadInfo } from "./backend.ts";
import type { RateHistory } from "./rate-history.ts";
import type { Overview, WireInfo, WireWorkload } from "./wire.ts";

/** Everything on the page but the rows; of the rates, the seconds after `since`. */
export function overviewOf(backend: Backend, rates: RateHistory, since: number): Overview {
  return {
    info: infoOf(backend.info()),
    streams: backend.streams(),
    workloads: backend.workloads().map(workloadOf),
    ledgers: backend.ledgers(),
    rates: rates.after(since),
    now: Date.now(),
  };
}

/** What the host is, with its start as text. */
export function infoOf(info: HostInfo): WireInfo {
  return { ...info, startedAt: info.startedAt.toISOString() };
}

/** A workload, with the times of its conditions as text. */
export function workloadOf({ status, ...workload }: WorkloadInfo): WireWorkload {
  const conditions = status.conditions.map((condition) => ({ ...condition, since: condition.since.toISOString() }));
  return { ...workload, status: { ...status, conditions } };
}
