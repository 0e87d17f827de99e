// SPDX-License-Identifier: Apache-2.0

/** What the program in the engine counted: seen = filtered + failed + submitted. */
export interface KernelCounts {
  readonly seen: number;
  readonly filtered: number;
  /** No room in the ring: lost. */
  readonly failed: number;
  readonly submitted: number;
}

/** What the reader counted. */
export interface ReaderCounts {
  readonly read: number;
  readonly discarded: number;
  /** Reported as lost by the kernel (perf buffers). */
  readonly lost: number;
}

/** What the decoder counted. */
export interface DecoderCounts {
  readonly decoded: number;
  /** Records too short for their type. */
  readonly malformed: number;
}

/** What a sink's queue counted, in rows. */
export interface SinkCounts {
  readonly sink: string;
  /** Offered by the stream. */
  readonly offered: number;
  /** Confirmed by the sink. */
  readonly written: number;
  /** Turned away because the queue was full or the sink was closed before it could take them: lost. */
  readonly dropped: number;
  /** In the queue or under way, counted there. */
  readonly pending: number;
  /** Attempts that failed and were, or will be, repeated. */
  readonly retries: number;
  /** Message of the last failure, while the sink has not recovered from it. */
  readonly error?: string;
}

/** A law of the ledger that does not hold at this moment. */
export interface LedgerDifference {
  /** Such as `submitted = read + discarded`. */
  readonly law: string;
  /** Left side minus right side, in rows. */
  readonly difference: number;
}

/** A stream's ledger at one moment. Every number is counted where it happens; none is computed from others. */
export interface LedgerSnapshot {
  readonly stream: string;
  readonly workload: string;
  /** Undefined when the program keeps no ledger. */
  readonly kernel: KernelCounts | undefined;
  readonly reader: ReaderCounts;
  readonly decoder: DecoderCounts;
  readonly sinks: readonly SinkCounts[];
  /**
   * Laws that do not hold. While events flow, what is in the ring shows here; at rest, an entry is a bug.
   */
  readonly differences: readonly LedgerDifference[];
}

/** A stream's ledger while it runs: the producer registers where its counts are read from. */
export interface StreamLedger {
  /** Called for each snapshot. */
  setKernel(read: () => KernelCounts | undefined): void;
  setReader(read: () => ReaderCounts): void;
  countDecoded(decoded: number, malformed: number): void;
  snapshot(): LedgerSnapshot;
}
