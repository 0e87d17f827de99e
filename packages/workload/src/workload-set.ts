// SPDX-License-Identifier: Apache-2.0

import { ClosedError, InvalidValueError, NotFoundError, SkepError } from "@skep/ebpf";
import { type HostContext, HostedWorkload, type WorkloadReport } from "./hosted-workload.ts";
import type { Manifest } from "./manifest.ts";
import type { Workload } from "./workload.ts";

/** Bounds of the time between attempts to bring a workload into force, in milliseconds. It doubles in between. */
export interface Backoff {
  readonly first: number;
  readonly last: number;
}

/** What a `WorkloadSet` hosts, and what it gives to each workload. */
export interface WorkloadSetOptions extends HostContext {
  readonly kinds: readonly Workload<unknown>[];
  /** Called whenever this set changed a workload's status. What a workload changes by itself shows in `status()`. */
  readonly onChange?: (report: WorkloadReport) => void;
  /** Default 1 s to 60 s. */
  readonly backoff?: Backoff;
}

/** A place in the set. */
interface Slot {
  readonly hosted: HostedWorkload;
  /** Wait before the next attempt, in milliseconds. */
  delay: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Hosts workloads in this process. `reconcile` says which ones there shall be; what fails is tried again, with
 * growing pauses, for as long as it is wanted. Calls run one after another, in the order in which they came.
 *
 * A workload that ends by itself after it had started is started anew by the next `reconcile` or `retry`, not by
 * this set on its own.
 */
export class WorkloadSet implements AsyncDisposable {
  readonly #kinds: readonly Workload<unknown>[];
  readonly #host: HostContext;
  readonly #onChange: (report: WorkloadReport) => void;
  readonly #backoff: Backoff;
  /** By kind and name, in the order in which they were first wanted. */
  readonly #slots = new Map<string, Slot>();
  #queue: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(options: WorkloadSetOptions) {
    const { kinds, onChange, backoff, ...host } = options;
    this.#kinds = kinds;
    this.#host = host;
    this.#onChange = onChange ?? (() => undefined);
    this.#backoff = backoff ?? { first: 1000, last: 60_000 };
  }

  /** How each workload is doing, in the order in which they were first wanted. */
  status(): WorkloadReport[] {
    return [...this.#slots.values()].map(({ hosted }) => hosted.report);
  }

  /**
   * Makes these the workloads that there are: ends those that are not among them (the last one first), then applies
   * what changed and starts what is new or had failed. One that fails leaves the others alone, and an `apply` that
   * fails leaves the spec before in force; either shows in the returned status. Rejects, having done nothing, with
   * NotFoundError for an unknown kind, InvalidValueError for a name given twice, ClosedError after `close`.
   */
  reconcile(manifests: readonly Manifest[]): Promise<WorkloadReport[]> {
    return this.#enqueue(async () => {
      const wanted = this.#index(manifests);
      for (const [key, slot] of [...this.#slots].reverse()) {
        if (!wanted.has(key)) await this.#remove(key, slot).catch(alreadyLogged);
      }
      for (const [key, { manifest, workload }] of wanted) {
        if (this.#closing !== undefined) break;
        await this.#attempt(this.#want(key, manifest, workload));
      }
      return this.status();
    });
  }

  /** Tries what is not in force again at once, without waiting for its pause to end. */
  retry(): Promise<WorkloadReport[]> {
    return this.#enqueue(async () => {
      for (const slot of this.#slots.values()) {
        if (this.#closing === undefined) await this.#attempt(slot);
      }
      return this.status();
    });
  }

  /**
   * Ends all, the last one first; waits for the call under way, and tells a start under way to give up. Rejects with
   * a SkepError (`ERR_WORKLOAD_CLOSE`, an AggregateError as its cause) when any did not close cleanly; all were tried.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const { hosted, timer } of this.#slots.values()) {
      clearTimeout(timer);
      hosted.interrupt();
    }
    await this.#queue;
    const failures: { key: string; error: unknown }[] = [];
    for (const [key, slot] of [...this.#slots].reverse()) {
      await this.#remove(key, slot).catch((error: unknown) => failures.push({ key, error }));
    }
    if (failures.length === 0) return;
    const cause = new AggregateError(
      failures.map(({ error }) => error),
      "workloads did not close cleanly",
    );
    const names = failures
      .map(({ key, error }) => `${key} (${error instanceof Error ? error.message : error})`)
      .join(", ");
    throw new SkepError("ERR_WORKLOAD_CLOSE", `did not close cleanly: ${names}`, { cause });
  }

  /** Runs `work` after all that was asked for before. */
  #enqueue<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(() => {
      if (this.#closing !== undefined) throw new ClosedError("workload set");
      return work();
    });
    // Whoever asked hears of a failure; the queue goes on.
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #index(manifests: readonly Manifest[]): Map<string, { manifest: Manifest; workload: Workload<unknown> }> {
    const kinds = this.#kinds;
    const wanted = new Map<string, { manifest: Manifest; workload: Workload<unknown> }>();
    for (const manifest of manifests) {
      const workload = kinds.find(({ kind }) => kind === manifest.kind);
      if (workload === undefined)
        throw new NotFoundError(
          "kind",
          manifest.kind,
          kinds.map(({ kind }) => kind),
        );
      const key = `${manifest.kind} ${manifest.metadata.name}`;
      if (wanted.has(key)) throw new InvalidValueError(`${key} is wanted twice`);
      wanted.set(key, { manifest, workload });
    }
    return wanted;
  }

  #want(key: string, manifest: Manifest, workload: Workload<unknown>): Slot {
    const present = this.#slots.get(key);
    if (present !== undefined) {
      if (present.hosted.desire(manifest)) present.delay = this.#backoff.first;
      return present;
    }
    const hosted = new HostedWorkload(workload, manifest, this.#host, this.#onChange, () =>
      this.#attemptAfterPause(slot),
    );
    const slot: Slot = { hosted, delay: this.#backoff.first, timer: undefined };
    this.#slots.set(key, slot);
    return slot;
  }

  /** Makes an attempt, and arranges for the next one when it fails. */
  async #attempt(slot: Slot): Promise<void> {
    clearTimeout(slot.timer);
    slot.timer = undefined;
    if (await slot.hosted.attempt()) slot.delay = this.#backoff.first;
    else this.#attemptAfterPause(slot);
  }

  #attemptAfterPause(slot: Slot): void {
    if (this.#closing !== undefined || slot.timer !== undefined) return;
    slot.timer = setTimeout(() => this.#attemptLater(slot), slot.delay);
    slot.delay = Math.min(slot.delay * 2, this.#backoff.last);
  }

  #attemptLater(slot: Slot): void {
    // The timer is cleared with its slot; still, the set may close while the attempt waits in the queue.
    this.#enqueue(async () => {
      if ([...this.#slots.values()].includes(slot)) await this.#attempt(slot);
    }).catch((error: unknown) => {
      if (!(error instanceof ClosedError)) throw error;
    });
  }

  async #remove(key: string, slot: Slot): Promise<void> {
    clearTimeout(slot.timer);
    this.#slots.delete(key);
    await slot.hosted.stop();
  }
}

function alreadyLogged(): void {
  // `HostedWorkload.stop` told the logger of its failure.
}
