// SPDX-License-Identifier: Apache-2.0

import type { Condition, WorkloadPhase, WorkloadStatus } from "./status.ts";

/**
 * The conditions of one workload. For every type, `True` is the good state. `Ready` decides the phase: unknown is
 * `Starting`, false is `Failed`, or `Stopped` when that is its reason; true is `Running`, or `Degraded` while
 * another condition is false.
 */
export class Conditions {
  readonly #conditions = new Map<string, Condition>();
  readonly #now: () => Date;

  /** `now` tells the time for `since`. */
  constructor(now: () => Date = () => new Date()) {
    this.#now = now;
  }

  /** Sets a condition. `since` moves only when `status` does. Returns whether anything changed. */
  set(type: string, status: Condition["status"], reason: string, message: string): boolean {
    const before = this.#conditions.get(type);
    if (before?.status === status && before.reason === reason && before.message === message) return false;
    const since = before?.status === status ? before.since : this.#now();
    this.#conditions.set(type, { type, status, reason, message, since });
    return true;
  }

  /** Takes a condition back that no longer means anything. Returns whether it was there. */
  delete(type: string): boolean {
    return this.#conditions.delete(type);
  }

  /** The condition of a type; undefined when it was never set. */
  get(type: string): Condition | undefined {
    return this.#conditions.get(type);
  }

  /** All of them, in the order in which they were first set. */
  list(): readonly Condition[] {
    return [...this.#conditions.values()];
  }

  /** What the conditions amount to at this moment. */
  get phase(): WorkloadPhase {
    return phaseOf(this.#conditions.values());
  }

  /** The status that these conditions amount to. */
  status(generation: number): WorkloadStatus {
    return { phase: this.phase, conditions: this.list(), generation };
  }
}

/** The phase that conditions amount to; see `Conditions`. */
export function phaseOf(conditions: Iterable<Condition>): WorkloadPhase {
  let ready: Condition | undefined;
  let complaint = false;
  for (const condition of conditions) {
    if (condition.type === "Ready") ready = condition;
    else if (condition.status === "False") complaint = true;
  }
  if (ready === undefined || ready.status === "Unknown") return "Starting";
  if (ready.status === "False") return ready.reason === "Stopped" ? "Stopped" : "Failed";
  return complaint ? "Degraded" : "Running";
}
