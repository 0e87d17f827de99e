// SPDX-License-Identifier: Apache-2.0

import type { WireLedger, WireSink } from "../../src/wire.ts";

/** One line of a ledger. */
export interface Step {
  readonly label: string;
  readonly value: number;
  /** `flow`: what went on from here; `aside`: what left on purpose; `loss`: what was lost. */
  readonly kind: "flow" | "aside" | "loss";
  /** For a loss: what it means and what helps. */
  readonly note?: string;
}

/** The way of a stream's events up to the decoder, in order. Losses of zero are part of it. */
export function stepsOf({ kernel, reader, decoder }: WireLedger): Step[] {
  const steps: Step[] = [];
  if (kernel !== undefined) {
    steps.push(
      { label: "Seen", value: kernel.seen, kind: "flow" },
      { label: "Filtered in the kernel", value: kernel.filtered, kind: "aside" },
      {
        label: "Lost in the kernel",
        value: kernel.failed,
        kind: "loss",
        note: "The ring was full, so there was no room for these events. A larger ring, or a filter in the kernel, helps.",
      },
      { label: "Submitted", value: kernel.submitted, kind: "flow" },
    );
  }
  steps.push({ label: "Read", value: reader.read, kind: "flow" });
  if (reader.discarded > 0) steps.push({ label: "Discarded by the program", value: reader.discarded, kind: "aside" });
  if (reader.lost > 0) {
    steps.push({
      label: "Lost before reading",
      value: reader.lost,
      kind: "loss",
      note: "The kernel reports that the perf buffer was full. Larger buffers, or a filter in the kernel, help.",
    });
  }
  steps.push({ label: "Decoded", value: decoder.decoded, kind: "flow" });
  if (decoder.malformed > 0) {
    steps.push({
      label: "Malformed",
      value: decoder.malformed,
      kind: "loss",
      note: "These records are shorter than their type. The program and the columns in its manifest do not fit.",
    });
  }
  return steps;
}

/** What a sink's losses mean and what helps; undefined when it lost nothing. */
export function sinkNote({ sink, dropped, error }: WireSink): string | undefined {
  if (dropped === 0) return undefined;
  return error === undefined
    ? `${sink} was slower than the stream and its queue was full: these rows are not in it. A filter, or a faster sink, helps.`
    : `${sink} takes no rows and its queue was full: these rows are not in it. The failure below says what to mend.`;
}

/** Everything that a stream lost, wherever that was. */
export function lostIn(ledger: WireLedger): number {
  const dropped = ledger.sinks.reduce((sum, sink) => sum + sink.dropped, 0);
  return (ledger.kernel?.failed ?? 0) + ledger.reader.lost + ledger.decoder.malformed + dropped;
}
