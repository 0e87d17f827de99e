// SPDX-License-Identifier: Apache-2.0

import type { BpfMap } from "@skep/ebpf";
import type { Observation } from "./observation.ts";
import { exchangePrograms } from "./programs.ts";

/**
 * Puts a prepared observation into force in place of the one before: attaches its programs, delivers what the buffers
 * hold that it does not go on with, and sends the records along its routes. All at once, without waiting. Throws when a
 * program cannot be attached, with the one before in force as it was.
 *
 * @returns the observation that is in force, which now owns the maps that it inherits
 */
export function takeOver(before: Observation | undefined, next: Observation): Observation {
  if (before?.collection !== next.collection) exchangePrograms(before, next);
  const kept = new Set(next.streams.map(({ pump }) => pump));
  for (const { pump } of before?.streams ?? []) if (!kept.has(pump)) pump.drain();
  for (const { pump, route } of next.streams) pump.send(route);
  return { ...next, inherited: before === undefined ? new Map() : handOver(before, next) };
}

/** Takes the maps that `next` goes on with out of the collection that created them. */
function handOver(before: Observation, next: Observation): ReadonlyMap<string, BpfMap> {
  if (before.collection === next.collection) return before.inherited;
  for (const name of next.inherited.keys()) before.collection.release(name);
  return next.inherited;
}
