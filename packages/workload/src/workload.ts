// SPDX-License-Identifier: Apache-2.0

import type { Engine } from "@skep/ebpf";
import type { RowSchema, RowWriter, Sink } from "@skep/rows";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { ZodType } from "zod";
import type { SinkSpec } from "./sink-spec.ts";
import type { WorkloadStatus } from "./status.ts";

/** A kind of workload: what a manifest's `kind` names. */
export interface Workload<Spec> {
  /** `Collector`, `Proxy`, … */
  readonly kind: string;
  /** Checks a manifest's `spec`; unknown keys are refused. */
  readonly schema: ZodType<Spec>;
  /** The streams that a spec gives rise to, without starting it. `base` is the folder that its paths are relative to. */
  streams(spec: Spec, base: string): RowSchema[];
  /** Brings a spec into force. Rejects, with everything undone, when it cannot. */
  start(spec: Spec, context: WorkloadContext): Promise<RunningWorkload<Spec>>;
}

/** A workload in force. */
export interface RunningWorkload<Spec> extends AsyncDisposable {
  /** Brings the next spec fully into force, or rejects and leaves the one before in force. */
  apply(next: Spec): Promise<void>;
  status(): WorkloadStatus;
  /** Ends it: detaches, then hands over what was already observed. */
  close(): Promise<void>;
}

/** What a workload gets from its host. */
export interface WorkloadContext {
  /** `metadata.name` of its manifest. */
  readonly name: string;
  /** `metadata.labels` of its manifest. */
  readonly labels: Readonly<Record<string, string>>;
  readonly engine: Engine;
  /** Name of this machine as rows carry it. */
  readonly node: string;
  readonly rows: RowWriter;
  /** Opens a sink that the spec names; relative paths start from `base`. Who opens it closes it. */
  readonly openSink: (spec: SinkSpec, base: string) => Sink;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Folder that relative paths of the spec start from: its manifest's. */
  readonly base: string;
  /**
   * To be called when the workload's own status changed by itself. One that `Failed` by itself is closed and started
   * again, after a pause.
   */
  readonly changed: () => void;
  /** Aborted when the workload should end on its own account. */
  readonly signal: AbortSignal;
}
