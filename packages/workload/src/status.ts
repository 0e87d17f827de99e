// SPDX-License-Identifier: Apache-2.0

/** One aspect of a workload's state, after the conditions of Kubernetes objects. */
export interface Condition {
  /** `Ready` for every workload; a kind may add others. */
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  /** One CamelCase word for programs: `Running`, `LoadFailed`, `Reloaded`. */
  readonly reason: string;
  /** One sentence for people. */
  readonly message: string;
  /** When `status` last changed. */
  readonly since: Date;
}

/** `Starting`, `Running`, `Degraded` (running, but something in it fails), `Failed`, `Stopped`. */
export type WorkloadPhase = "Starting" | "Running" | "Degraded" | "Failed" | "Stopped";

/** How a workload is doing. */
export interface WorkloadStatus {
  readonly phase: WorkloadPhase;
  readonly conditions: readonly Condition[];
  /** Counts the specs that came into force, from 1. */
  readonly generation: number;
}
