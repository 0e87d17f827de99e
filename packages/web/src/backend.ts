// SPDX-License-Identifier: Apache-2.0

import type { LedgerSnapshot, Retention, RowSchema } from "@skep/rows";
import type { WorkloadStatus } from "@skep/workload";

/** Why the host cannot do what it is for, and what to do about it. Shown at the top of the page. */
export interface Notice {
  /** One line: what is the case. */
  readonly title: string;
  /** One sentence: why it is so. */
  readonly why: string;
  /** What would change it, one step an item; a command stands between backquotes. */
  readonly remedy: readonly string[];
}

/** Where rows are stored. */
export interface StorageInfo {
  /** `embedded`: a PostgreSQL that the host started on a folder; `url`: one that it was pointed at. */
  readonly kind: "embedded" | "url";
  /** The folder, or the address without its password. */
  readonly location: string;
  /** Bytes in use; undefined while unknown. */
  readonly bytes: number | undefined;
  /** How much of each stream is kept. */
  readonly retention: Retention;
}

/** What the host is. */
export interface HostInfo {
  /** Skep's version. */
  readonly version: string;
  /** The machine's name, as rows carry it. */
  readonly node: string;
  /** The kernel's release, such as `6.12.43-amd64`. */
  readonly kernel: string;
  /** True when events are replayed from a recording: everything shown says so. */
  readonly recording: boolean;
  readonly notice?: Notice;
  readonly startedAt: Date;
  readonly storage: StorageInfo;
}

/** A stream that rows can be asked of. */
export interface StreamInfo {
  readonly schema: RowSchema;
  /** Name of the workload that writes it. */
  readonly workload: string;
}

/** A workload and how it is doing. */
export interface WorkloadInfo {
  readonly kind: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly status: WorkloadStatus;
}

/** Which stored rows are wanted. */
export interface QueryOptions {
  /** A filter in the rows' language; all rows unless given. */
  readonly where?: string;
  /** Most rows to hand out; all of them unless given. */
  readonly limit?: number;
  /** By time: the newest first, or the oldest. */
  readonly order: "newest" | "oldest";
  /** Only rows that happened before: microseconds since 1970. */
  readonly before?: number;
  /** Aborted when nobody waits for the rows any more. */
  readonly signal: AbortSignal;
}

/** Which rows are wanted as they come. */
export interface LiveOptions {
  /** A filter in the rows' language; all rows unless given. */
  readonly where?: string;
  /** How many of the newest rows to begin with. */
  readonly backlog: number;
  /** Ends the iteration without an error. */
  readonly signal: AbortSignal;
}

/** Rows of a live stream. */
export interface LiveRows {
  /** JSON objects without line breaks, oldest first. 64-bit integers are integer literals. */
  readonly lines: readonly string[];
  /** Rows since the item before that were left out because they were not fetched in time. */
  readonly missed: number;
}

/**
 * What the server shows. The composition root implements it.
 *
 * `query` and `live` reject before they hand out an iterable when they cannot serve the request: with an error of
 * code `ERR_NOT_FOUND` for a stream that is not there, and with one that has a numeric `position` (characters from
 * the start) for a filter that cannot be understood.
 */
export interface Backend {
  info(): HostInfo;
  streams(): readonly StreamInfo[];
  workloads(): readonly WorkloadInfo[];
  ledgers(): readonly LedgerSnapshot[];
  /** Stored rows in batches of JSON objects without line breaks. */
  query(stream: string, options: QueryOptions): Promise<AsyncIterable<readonly string[]>>;
  /**
   * The newest rows from memory, then rows as they come. The first item is the backlog and comes at once, even when
   * it is empty. Holds a bounded number of rows for a slow caller and counts the rest as missed.
   */
  live(stream: string, options: LiveOptions): Promise<AsyncIterable<LiveRows>>;
  /** The metrics of the host and its workloads in Prometheus' text format 0.0.4. */
  metrics(): Promise<string>;
  /** Reads the manifests again and applies what changed. Rejects, with the old ones in force, when it cannot. */
  reload(): Promise<void>;
}
