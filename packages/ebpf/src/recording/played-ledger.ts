// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import type { MapSpec } from "../map-spec.ts";
import { sumOfWords } from "./ledger-words.ts";
import { MemoryMap } from "./memory-map.ts";
import type { Timeline, TimelineCounter } from "./timeline.ts";

/** Recorded counters with the recorded milliseconds from the recording's start. */
export interface TimedValue {
  readonly at: number;
  readonly value: Uint8Array;
}

/** How many records a stream had handed over, or discarded, by a time. */
export interface PlayedCount {
  readonly at: number;
  readonly records: number;
}

/** Bytes of `struct skep_ledger` (skep.bpf.h): seen, filtered, failed, submitted. */
const LEDGER_SIZE = 32;
const SUBMITTED = 24;

/**
 * A map of counters that shows what was recorded up to where its recording is played, summed over the loops.
 *
 * The counters were recorded four times a second, when more events had been counted than read; and those of a
 * recording that was cut may count records that are not in it. `submitted` of a `struct skep_ledger` is therefore
 * the number of records played so far, and `seen` moves along: an event that is not played was not seen. Of a
 * complete recording both end as they were recorded.
 */
export class PlayedLedger extends MemoryMap implements TimelineCounter {
  readonly #values: readonly TimedValue[];
  readonly #played: readonly PlayedCount[] | undefined;
  readonly #timeline: Timeline;
  #carried: Uint8Array;

  /** `played`: of the stream that this is the ledger of, ascending; undefined when there is none. */
  constructor(
    spec: MapSpec,
    btf: Btf | undefined,
    cpus: number,
    values: readonly TimedValue[],
    played: readonly PlayedCount[] | undefined,
    timeline: Timeline,
  ) {
    super(spec, btf, cpus);
    this.#values = values;
    this.#played = spec.valueSize === LEDGER_SIZE ? played : undefined;
    this.#timeline = timeline;
    this.#carried = new Uint8Array(this.rawValueSize);
    timeline.addCounter(this);
  }

  override lookupRaw(key: Uint8Array, value: Uint8Array): boolean {
    this.updateRaw(new Uint8Array(this.spec.keySize), this.#total(this.#timeline.position));
    return super.lookupRaw(key, value);
  }

  carry(position: number): void {
    this.#carried = this.#total(position);
  }

  override close(): void {
    this.#timeline.removeCounter(this);
    super.close();
  }

  #total(position: number): Uint8Array {
    const recorded = lastBefore(this.#values, position)?.value ?? new Uint8Array(this.rawValueSize);
    const total = sumOfWords([this.#carried, recorded]);
    if (this.#played !== undefined) {
      const records = lastBefore(this.#played, position)?.records ?? 0;
      moveEvents(total, BigInt(records) - submittedOf(recorded));
    }
    return total;
  }
}

function submittedOf(ledger: Uint8Array): bigint {
  const view = new DataView(ledger.buffer, ledger.byteOffset, ledger.byteLength);
  let sum = 0n;
  for (let at = SUBMITTED; at + 8 <= ledger.length; at += LEDGER_SIZE) sum += view.getBigUint64(at, true);
  return sum;
}

/** Adds a number of events, or takes them away, from `seen` and `submitted` of a sum over CPUs. */
function moveEvents(ledger: Uint8Array, events: bigint): void {
  const view = new DataView(ledger.buffer);
  let left = events;
  for (let at = 0; at < ledger.length && left !== 0n; at += LEDGER_SIZE) {
    const submitted = view.getBigUint64(at + SUBMITTED, true);
    // No CPU's counter goes below 0: what it cannot give is taken from the next one.
    const moved = left < -submitted ? -submitted : left;
    view.setBigUint64(at + SUBMITTED, submitted + moved, true);
    view.setBigUint64(at, view.getBigUint64(at, true) + moved, true);
    left -= moved;
  }
}

/** The last item at or before a position; items ascend. */
function lastBefore<Item extends { readonly at: number }>(items: readonly Item[], position: number): Item | undefined {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((items[middle] as Item).at <= position) low = middle + 1;
    else high = middle;
  }
  return items[low - 1];
}
