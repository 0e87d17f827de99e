// SPDX-License-Identifier: Apache-2.0

import { useState } from "preact/hooks";
import type { WireColumn } from "../../src/wire.ts";

/** Columns that every row has and that say the same in most: off until asked for. */
const OFF = new Set(["node", "workload"]);

/** Which columns of a stream are shown; the choice is kept in this browser. */
export function useColumns(
  stream: string,
  columns: readonly WireColumn[],
): [ReadonlySet<string>, (column: string) => void] {
  const key = `skep.columns.${stream}`;
  const [flipped, setFlipped] = useState(() => new Set(readList(key)));
  const shown = new Set(columns.map(({ name }) => name).filter((name) => OFF.has(name) === flipped.has(name)));
  const toggle = (column: string): void => {
    const next = new Set(flipped);
    if (!next.delete(column)) next.add(column);
    localStorage.setItem(key, JSON.stringify([...next]));
    setFlipped(next);
  };
  return [shown, toggle];
}

function readList(key: string): string[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(value) ? value.map(String) : [];
  } catch {
    // Whatever wrote this was not us: the default columns do.
    return [];
  }
}
