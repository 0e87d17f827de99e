// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";
import { type OutputFormat, toJson } from "../output/format.ts";
import { print } from "../output/print.ts";
import { RowPrinter } from "../output/row-printer.ts";
import type { MapView, RawEntry } from "./map-view.ts";
import { formatMapValue } from "./value-text.ts";

/** Changes that are printed at once. */
const AT_ONCE = 1000;

interface Change {
  readonly change: "added" | "changed" | "removed";
  readonly entry: RawEntry;
}

/**
 * Prints what changes in a map from one look to the next, until the signal aborts. Everything that is there at the first
 * look counts as added; what came and went in between is not seen.
 *
 * @param interval - seconds between looks
 */
export async function watchMap(
  view: MapView,
  output: OutputFormat,
  interval: number,
  signal: AbortSignal,
): Promise<void> {
  const printer = new RowPrinter(output, (text) => print(text, signal));
  try {
    for (let before = new Map<string, RawEntry>(); ; ) {
      const now = new Map([...view.entries()].map((entry) => [Buffer.from(entry.key).toString("hex"), entry]));
      const found = changes(before, now);
      for (let at = 0; at < found.length; at += AT_ONCE) {
        await printer.rows(found.slice(at, at + AT_ONCE).map((change) => rowOf(view, change, output)));
      }
      before = now;
      await sleep(interval * 1000, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function changes(before: ReadonlyMap<string, RawEntry>, now: ReadonlyMap<string, RawEntry>): Change[] {
  const found: Change[] = [];
  for (const [key, entry] of now) {
    const earlier = before.get(key);
    if (earlier === undefined) found.push({ change: "added", entry });
    else if (!Buffer.from(earlier.value).equals(entry.value)) found.push({ change: "changed", entry });
  }
  for (const [key, entry] of before) if (!now.has(key)) found.push({ change: "removed", entry });
  return found;
}

function rowOf(view: MapView, { change, entry }: Change, output: OutputFormat): string {
  const { key, value } = view.show(entry);
  const shown = output === "table" ? { key: formatMapValue(key), value: formatMapValue(value) } : { key, value };
  return toJson({ time: new Date().toISOString(), change, ...shown });
}
