// SPDX-License-Identifier: Apache-2.0

import { useEffect, useRef } from "preact/hooks";
import type { WireColumn } from "../../src/wire.ts";
import { count } from "./format.ts";
import type { LiveView } from "./live-rows.ts";

interface TableToolsProps {
  columns: readonly WireColumn[];
  shown: ReadonlySet<string>;
  toggle: (column: string) => void;
  paused: boolean;
  setPaused: (paused: boolean) => void;
  recording: boolean;
  view: LiveView;
}

/** What stands beside the filter: how many rows, which columns, and whether the table moves. */
export function TableTools({ columns, shown, toggle, paused, setPaused, recording, view }: TableToolsProps) {
  return (
    <div class="tools">
      {recording && <span class="badge recording">Recording</span>}
      {view.missed > 0 && (
        <span class="badge bad" title="They came faster than this page could take them; the store has them.">
          {count(view.missed)} not shown
        </span>
      )}
      <span class="row-count">{count(view.rows.length)} rows</span>
      <ColumnMenu columns={columns} shown={shown} toggle={toggle} />
      <button type="button" class={paused ? "on" : ""} aria-pressed={paused} onClick={() => setPaused(!paused)}>
        {paused ? "Resume" : "Pause"}
      </button>
    </div>
  );
}

function ColumnMenu({ columns, shown, toggle }: Pick<TableToolsProps, "columns" | "shown" | "toggle">) {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const closeOutside = (event: Event): void => {
      const { current } = menu;
      if (current !== null && !(event.target instanceof Node && current.contains(event.target))) current.open = false;
    };
    addEventListener("pointerdown", closeOutside);
    return () => removeEventListener("pointerdown", closeOutside);
  }, []);
  return (
    <details
      class="column-menu"
      ref={menu}
      onKeyDown={(event) => {
        if (event.key === "Escape" && menu.current !== null) menu.current.open = false;
      }}
    >
      <summary class="button">Columns</summary>
      <fieldset class="menu" aria-label="Columns">
        {columns.map(({ name, type, description }) => (
          <label key={name} title={description}>
            <input type="checkbox" checked={shown.has(name)} onChange={() => toggle(name)} />
            {name}
            <span>{type}</span>
          </label>
        ))}
      </fieldset>
    </details>
  );
}
