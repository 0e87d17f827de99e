// SPDX-License-Identifier: Apache-2.0

/*
 * The JSON that the page reads. The server's values are assigned to these types, so that a change on either side
 * is an error of the compiler; the page imports them without importing the packages behind them.
 */

/** A column of a stream, as JSON. */
export interface WireColumn {
  readonly name: string;
  /** A `ColumnType` of `@skep/ebpf`. */
  readonly type: string;
  readonly description?: string;
}

/** A stream, as JSON. */
export interface WireStream {
  readonly schema: { readonly name: string; readonly description?: string; readonly columns: readonly WireColumn[] };
  readonly workload: string;
}

/** What the host is, as JSON. */
export interface WireInfo {
  readonly version: string;
  readonly node: string;
  readonly kernel: string;
  readonly recording: boolean;
  readonly notice?: { readonly title: string; readonly why: string; readonly remedy: readonly string[] };
  /** ISO 8601. */
  readonly startedAt: string;
  readonly storage: {
    readonly kind: "embedded" | "url";
    readonly location: string;
    /** Absent while unknown. */
    readonly bytes?: number | undefined;
    /** Of each stream: seconds, and bytes. */
    readonly retention: { readonly age?: number; readonly size?: number };
  };
}

/** A condition of a workload, as JSON. */
export interface WireCondition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
  /** ISO 8601. */
  readonly since: string;
}

/** A workload, as JSON. */
export interface WireWorkload {
  readonly kind: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly status: {
    readonly phase: "Starting" | "Running" | "Degraded" | "Failed" | "Stopped";
    readonly conditions: readonly WireCondition[];
    readonly generation: number;
  };
}

/** What a sink counted, as JSON. */
export interface WireSink {
  readonly sink: string;
  readonly offered: number;
  readonly written: number;
  readonly dropped: number;
  readonly pending: number;
  readonly retries: number;
  readonly error?: string;
}

/** A stream's ledger, as JSON. */
export interface WireLedger {
  readonly stream: string;
  readonly workload: string;
  /** Absent when the program keeps no ledger. */
  readonly kernel?:
    | { readonly seen: number; readonly filtered: number; readonly failed: number; readonly submitted: number }
    | undefined;
  readonly reader: { readonly read: number; readonly discarded: number; readonly lost: number };
  readonly decoder: { readonly decoded: number; readonly malformed: number };
  readonly sinks: readonly WireSink[];
  readonly differences: readonly { readonly law: string; readonly difference: number }[];
}

/** Events of a stream in consecutive seconds. */
export interface WireRates {
  readonly stream: string;
  /** The first second: seconds since 1970. */
  readonly from: number;
  /** Events decoded in each second. */
  readonly events: readonly number[];
  /** Events and rows lost in each second, wherever they were lost. */
  readonly lost: readonly number[];
}

/** Everything on the page but the rows: the answer of `GET /api/overview`. */
export interface Overview {
  readonly info: WireInfo;
  readonly streams: readonly WireStream[];
  readonly workloads: readonly WireWorkload[];
  readonly ledgers: readonly WireLedger[];
  readonly rates: readonly WireRates[];
  /** The server's clock: milliseconds since 1970. */
  readonly now: number;
}

/** The body of every answer from 400 up. */
export interface WireError {
  readonly error: {
    readonly code: string;
    readonly message: string;
    /** Where in the filter: characters from its start. */
    readonly position?: number;
  };
}
