// SPDX-License-Identifier: Apache-2.0

import type { BpfMap, Collection, CollectionSpec } from "@skep/ebpf";
import type { Sink } from "@skep/rows";
import type { CollectorSpec } from "./collector-spec.ts";
import type { RecordPump, Route } from "./record-pump.ts";

/** An object file as it was read. */
export interface ReadObject {
  readonly bytes: Uint8Array;
  readonly spec: CollectionSpec;
}

/** One stream of an observation. */
export interface ObservedStream {
  readonly pump: RecordPump;
  readonly route: Route;
}

/**
 * A collector's spec in force, or ready to be: what it loaded and opened. When one spec follows another, the next
 * observation shares with the one before what stays as it is.
 */
export interface Observation {
  readonly spec: CollectorSpec;
  readonly object: ReadObject;
  readonly collection: Collection;
  /** Maps that an earlier collection of the same object created and handed over. */
  readonly inherited: ReadonlyMap<string, BpfMap>;
  readonly streams: readonly ObservedStream[];
  readonly sinks: readonly Sink[];
}

/**
 * Closes what one observation has and `kept` does not share: readers first, then streams and sinks side by side, then
 * programs and maps. All of it is tried; throws an AggregateError when something did not close.
 */
export async function retire(observation: Observation, kept: Observation | undefined): Promise<void> {
  const failures: unknown[] = [];
  const attempt = async (close: () => unknown): Promise<void> => {
    try {
      await close();
    } catch (cause) {
      failures.push(cause);
    }
  };
  const keptPumps = new Set(kept?.streams.map(({ pump }) => pump));
  const keptMaps = new Set(kept?.inherited.values());
  for (const { pump } of observation.streams) if (!keptPumps.has(pump)) await attempt(() => pump.close());
  await Promise.all(observation.streams.map(({ route }) => attempt(() => route.writer.close())));
  await Promise.all(observation.sinks.map((sink) => attempt(() => sink.close())));
  if (observation.collection !== kept?.collection) await attempt(() => observation.collection.close());
  for (const map of observation.inherited.values()) if (!keptMaps.has(map)) await attempt(() => map.close());
  if (failures.length > 0) throw new AggregateError(failures, "an observation did not close cleanly");
}
