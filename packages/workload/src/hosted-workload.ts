// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from "node:util";
import type { Logger } from "pino";
import { Conditions } from "./conditions.ts";
import type { Manifest } from "./manifest.ts";
import type { WorkloadStatus } from "./status.ts";
import type { RunningWorkload, Workload, WorkloadContext } from "./workload.ts";

/** What a host gives to each workload; the rest of its context comes from its manifest. */
export type HostContext = Omit<WorkloadContext, "name" | "labels" | "base" | "signal" | "changed">;

/** One workload as a report shows it. */
export interface WorkloadReport {
  readonly kind: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly status: WorkloadStatus;
  /** Where its manifest was read. */
  readonly file: string;
}

/**
 * One workload of a host: brings what its manifest wants into force, and keeps what is in force when that fails.
 * Calls must not overlap; `WorkloadSet` sees to it.
 */
export class HostedWorkload {
  readonly #workload: Workload<unknown>;
  readonly #host: HostContext;
  readonly #logger: Logger;
  readonly #changed: (report: WorkloadReport) => void;
  readonly #failed: () => void;
  /** What this host knows of it; the running workload's own conditions come before these. */
  readonly #conditions = new Conditions();
  #desired: Manifest;
  #running: RunningWorkload<unknown> | undefined;
  /** The manifest that `#running` has in force. */
  #inForce: Manifest | undefined;
  #abort = new AbortController();
  #generation = 0;

  constructor(
    workload: Workload<unknown>,
    desired: Manifest,
    host: HostContext,
    changed: (report: WorkloadReport) => void,
    failed: () => void,
  ) {
    this.#workload = workload;
    this.#desired = desired;
    this.#host = host;
    this.#changed = changed;
    this.#failed = failed;
    this.#logger = host.logger.child({ kind: workload.kind, workload: desired.metadata.name });
  }

  get report(): WorkloadReport {
    const { kind, metadata, source } = this.#desired;
    return { kind, name: metadata.name, labels: metadata.labels, status: this.#status(), file: source.file };
  }

  /** Whether what is desired is in force and runs. */
  get settled(): boolean {
    if (this.#running === undefined || this.#inForce === undefined || ended(this.#running)) return false;
    return sameWork(this.#desired, this.#inForce);
  }

  /** Sets what is desired. Returns whether that is other work than before. */
  desire(manifest: Manifest): boolean {
    const before = this.#desired;
    this.#desired = manifest;
    const changed = !sameWork(before, manifest);
    // Back to what is in force: nothing will be applied, so the complaint about the refused spec ends here.
    if (changed && this.settled && this.#conditions.get("SpecAccepted")?.status === "False") this.#accept();
    else if (!isDeepStrictEqual(before.metadata.labels, manifest.metadata.labels)) this.#tell();
    return changed;
  }

  /** Tries to bring what is desired into force. Never rejects; see the status. Returns whether it is settled. */
  async attempt(): Promise<boolean> {
    if (this.settled) return true;
    const desired = this.#desired;
    // Paths in a spec start from its manifest's folder, so another folder is another spec even when it reads the same.
    const moved = this.#inForce !== undefined && this.#inForce.source.base !== desired.source.base;
    if (this.#running !== undefined && (moved || ended(this.#running))) {
      // The logger has it; what is desired now matters more than how the one before ended.
      await this.stop().catch(() => undefined);
    }
    if (this.#running === undefined) await this.#start(desired);
    else await this.#apply(this.#running, desired);
    return this.settled;
  }

  /** Tells a start that is under way to give up. */
  interrupt(): void {
    if (this.#running === undefined) this.#abort.abort();
  }

  /** Ends it. Rejects when closing failed; it counts as ended all the same. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    this.#inForce = undefined;
    try {
      await running?.close();
    } catch (err) {
      this.#logger.error({ err }, "did not close cleanly");
      throw err;
    } finally {
      this.#abort.abort();
      this.#conditions.delete("SpecAccepted");
      this.#conditions.set("Ready", "False", "Stopped", "It was ended.");
      this.#tell();
    }
  }

  async #start(desired: Manifest): Promise<void> {
    this.#abort = new AbortController();
    this.#conditions.set("Ready", "Unknown", "Starting", "It is being started.");
    this.#tell();
    try {
      this.#running = await this.#workload.start(desired.spec, this.#context(desired));
      this.#inForce = desired;
      this.#generation++;
      this.#conditions.delete("Ready");
      this.#logger.info("started");
      this.#accept();
    } catch (err) {
      this.#abort.abort();
      this.#logger.error({ err }, "start failed");
      this.#conditions.set("Ready", "False", "StartFailed", messageOf(err));
      this.#tell();
    }
  }

  async #apply(running: RunningWorkload<unknown>, desired: Manifest): Promise<void> {
    try {
      await running.apply(desired.spec);
      this.#inForce = desired;
      this.#generation++;
      this.#logger.info("new spec in force");
      this.#accept();
    } catch (err) {
      this.#logger.error({ err }, "new spec refused; the one before stays in force");
      if (this.#conditions.set("SpecAccepted", "False", "ApplyFailed", messageOf(err))) this.#tell();
    }
  }

  #accept(): void {
    this.#conditions.set("SpecAccepted", "True", "InForce", "The spec of the manifest is in force.");
    this.#tell();
  }

  #context({ metadata, source }: Manifest): WorkloadContext {
    const hosted = this;
    return {
      ...this.#host,
      name: metadata.name,
      // Labels may change without a new start, so they are looked up.
      get labels() {
        return hosted.#desired.metadata.labels;
      },
      logger: this.#logger,
      base: source.base,
      changed: () => {
        this.#tell();
        if (this.#running !== undefined && ended(this.#running)) this.#failed();
      },
      signal: this.#abort.signal,
    };
  }

  #status(): WorkloadStatus {
    const own = this.#running?.status();
    if (own === undefined) return this.#conditions.status(this.#generation);
    const types = new Set(own.conditions.map((condition) => condition.type));
    const added = this.#conditions.list().filter((condition) => !types.has(condition.type));
    const refused = added.some((condition) => condition.status === "False");
    const phase = own.phase === "Running" && refused ? "Degraded" : own.phase;
    return { phase, conditions: [...own.conditions, ...added], generation: this.#generation };
  }

  #tell(): void {
    this.#changed(this.report);
  }
}

/** Whether two manifests ask a workload for the same. Labels, placement and the place in the file do not matter. */
function sameWork(one: Manifest, other: Manifest): boolean {
  return one.source.base === other.source.base && isDeepStrictEqual(one.spec, other.spec);
}

/** Whether a workload stopped without being told to. */
function ended(running: RunningWorkload<unknown>): boolean {
  const { phase } = running.status();
  return phase === "Failed" || phase === "Stopped";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
