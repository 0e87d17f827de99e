// SPDX-License-Identifier: Apache-2.0

import type { WireLedger, WireSink } from "../../src/wire.ts";
import { count } from "./format.ts";
import { lostIn, type Step, sinkNote, stepsOf } from "./ledger-steps.ts";

/** Milliseconds without a change after which a ledger is at rest, and must add up. */
const REST_MS = 3000;

interface LedgerPanelProps {
  ledgers: readonly WireLedger[];
  changedAt: ReadonlyMap<string, number>;
  /** The stream that the table shows: its ledger comes first. */
  current: string | undefined;
}

/** Where every event went, stream by stream. */
export function LedgerPanel({ ledgers, changedAt, current }: LedgerPanelProps) {
  const sorted = ledgers.toSorted((a, b) => Number(b.stream === current) - Number(a.stream === current));
  return (
    <section class="panel ledger" aria-label="Ledger">
      <h2>Ledger</h2>
      {sorted.length === 0 && <p class="empty">No stream is counted yet.</p>}
      {sorted.map((ledger) => (
        <StreamLedger
          key={ledger.stream}
          ledger={ledger}
          atRest={Date.now() - (changedAt.get(ledger.stream) ?? Date.now()) >= REST_MS}
        />
      ))}
    </section>
  );
}

function StreamLedger({ ledger, atRest }: { ledger: WireLedger; atRest: boolean }) {
  const lost = lostIn(ledger);
  const wrong = atRest && ledger.differences.length > 0;
  return (
    <article class="stream-ledger">
      <h3>
        {ledger.stream}
        <span class={`verdict ${lost > 0 || wrong ? "bad" : "good"}`}>
          {lost > 0 ? `${count(lost)} lost` : wrong ? "does not add up" : "nothing lost"}
        </span>
      </h3>
      <ol class="steps">
        {stepsOf(ledger).map((step) => (
          <StepLine key={step.label} step={step} />
        ))}
      </ol>
      {ledger.sinks.length > 0 && (
        <table class="sinks">
          <thead>
            <tr>
              <th scope="col">Sink</th>
              <th scope="col">Written</th>
              <th scope="col">Pending</th>
              <th scope="col">Dropped</th>
            </tr>
          </thead>
          <tbody>
            {ledger.sinks.map((sink) => (
              <SinkLines key={sink.sink} sink={sink} />
            ))}
          </tbody>
        </table>
      )}
      {ledger.differences.length > 0 && (
        <div class={`differences ${wrong ? "bug" : ""}`}>
          {wrong && <p>These counts stand still and do not add up. That is a bug in Skep: please report it.</p>}
          <ul>
            {ledger.differences.map(({ law, difference }) => (
              <li key={law}>
                {wrong ? "" : "under way: "}
                <code>{law}</code> <b>{difference > 0 ? `+${count(difference)}` : count(difference)}</b>
              </li>
            ))}
          </ul>
        </div>
      )}
    </article>
  );
}

function StepLine({ step: { label, value, kind, note } }: { step: Step }) {
  const lossy = kind === "loss" && value > 0;
  return (
    <li class={`${kind} ${lossy ? "lossy" : ""} ${value === 0 ? "nil" : ""}`}>
      <span>{label}</span>
      <b>{count(value)}</b>
      {lossy && <p>{note}</p>}
    </li>
  );
}

function SinkLines({ sink }: { sink: WireSink }) {
  const note = sinkNote(sink);
  return (
    <>
      <tr>
        <th scope="row" title={sink.sink}>
          {sink.sink}
        </th>
        <td>{count(sink.written)}</td>
        <td class={sink.pending === 0 ? "nil" : ""}>{count(sink.pending)}</td>
        <td class={sink.dropped === 0 ? "nil" : "lossy"}>{count(sink.dropped)}</td>
      </tr>
      {(note !== undefined || sink.error !== undefined || sink.retries > 0) && (
        <tr class="sink-note">
          <td colSpan={4}>
            {note !== undefined && <p class="lossy">{note}</p>}
            {sink.error !== undefined && <p class="lossy">Last failure: {sink.error}</p>}
            {sink.retries > 0 && <p>{count(sink.retries)} attempts failed and were repeated.</p>}
          </td>
        </tr>
      )}
    </>
  );
}
