// SPDX-License-Identifier: Apache-2.0

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { WireColumn } from "../../src/wire.ts";
import { columnWidths, type Width } from "./column-widths.ts";
import { count } from "./format.ts";
import type { LiveView } from "./live-rows.ts";
import { cellText, fullText, isNumeric, type Row } from "./row.ts";
import { EmptyTable, OlderRows } from "./table-ends.tsx";

/** Height of a row in pixels; styles/rows.css sets the same. */
const ROW_HEIGHT = 26;
/** Rows drawn beyond what is seen, above and below. */
const MARGIN = 12;

interface RowTableProps {
  columns: readonly WireColumn[];
  view: LiveView;
  selected: Row | undefined;
  select: (row: Row | undefined) => void;
  /** Told whether the top of the table is out of sight. */
  setAway: (away: boolean) => void;
  paused: boolean;
  resume: () => void;
  loadOlder: () => void;
  clearFilter: () => void;
}

/** The rows, newest first. Only those in sight are in the document. */
export function RowTable(props: RowTableProps) {
  const { columns, view, selected, select, setAway, paused, resume, loadOlder } = props;
  const box = useRef<HTMLDivElement>(null);
  const [window, setWindow] = useState({ top: 0, height: 600 });
  const widths = useWidths(columns, view);

  const look = (): void => {
    const { current } = box;
    if (current === null) return;
    setWindow({ top: current.scrollTop, height: current.clientHeight });
    setAway(current.scrollTop > ROW_HEIGHT);
  };
  useLayoutEffect(() => {
    const { current } = box;
    if (current === null) return;
    const resized = new ResizeObserver(look);
    resized.observe(current);
    return () => resized.disconnect();
  }, []);
  useEffect(() => box.current?.scrollTo({ top: 0 }), [view.stream, view.where]);

  const { rows } = view;
  // Where no column takes the room that is left, an empty one does.
  const filler = !widths.some(({ flexible }) => flexible);
  const first = Math.max(0, Math.floor(window.top / ROW_HEIGHT) - MARGIN);
  const last = Math.min(rows.length, Math.ceil((window.top + window.height) / ROW_HEIGHT) + MARGIN);
  const toTop = (): void => {
    resume();
    setAway(false);
    box.current?.scrollTo({ top: 0 });
  };
  const move = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const next = rows[rows.findIndex(({ id }) => id === selected?.id) + step];
    if (step === 0 || next === undefined) return;
    event.preventDefault();
    select(next);
    box.current?.querySelector<HTMLElement>(`[data-row="${next.id}"]`)?.scrollIntoView({ block: "nearest" });
  };
  return (
    <div class="table-frame">
      {(view.waiting > 0 || paused) && rows.length > 0 && (
        <button type="button" class="pill" onClick={toTop}>
          {view.waiting === 0
            ? "Paused – resume"
            : `${count(view.waiting)} new ${view.waiting === 1 ? "row" : "rows"} ↑`}
        </button>
      )}
      <section
        class="table-box"
        ref={box}
        onScroll={look}
        onKeyDown={move}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by the keyboard
        tabIndex={0}
        aria-label="Live rows"
      >
        <table style={{ minWidth: `calc(${total(widths)}ch + ${columns.length * 20}px)` }} aria-rowcount={rows.length}>
          <colgroup>
            {widths.map(({ name, characters, flexible }) => (
              <col key={name} style={flexible ? {} : { width: `calc(${characters}ch + 20px)` }} />
            ))}
            {filler && <col />}
          </colgroup>
          <thead>
            <tr class="names">
              {columns.map((column) => (
                <th key={column.name} scope="col" title={column.description} class={isNumeric(column) ? "number" : ""}>
                  {column.name}
                </th>
              ))}
              {filler && <td />}
            </tr>
          </thead>
          <tbody>
            <Spacer rows={first} columns={widths.length + (filler ? 1 : 0)} />
            {rows.slice(first, last).map((row) => (
              <TableRow
                key={row.id}
                row={row}
                columns={columns}
                filler={filler}
                selected={row.id === selected?.id}
                select={select}
              />
            ))}
            <Spacer rows={rows.length - last} columns={widths.length + (filler ? 1 : 0)} />
          </tbody>
        </table>
        {rows.length === 0 ? (
          <EmptyTable view={view} clearFilter={props.clearFilter} />
        ) : (
          <OlderRows view={view} loadOlder={loadOlder} />
        )}
      </section>
    </div>
  );
}

interface TableRowProps {
  row: Row;
  columns: readonly WireColumn[];
  filler: boolean;
  selected: boolean;
  select: (row: Row | undefined) => void;
}

function TableRow({ row, columns, filler, selected, select }: TableRowProps) {
  return (
    <tr class="row" data-row={row.id} aria-selected={selected} onClick={() => select(selected ? undefined : row)}>
      {columns.map((column) => {
        const value = row.values[column.name];
        return (
          <td key={column.name} class={cellClass(column, value)} title={fullText(column, value)}>
            {cellText(column, value)}
          </td>
        );
      })}
      {filler && <td />}
    </tr>
  );
}

function cellClass(column: WireColumn, value: unknown): string {
  if (isNumeric(column)) return value === 0 ? "number zero" : "number";
  if (column.type === "bool") return value === true ? "" : "zero";
  return column.type === "time" ? "time" : "";
}

function Spacer({ rows, columns }: { rows: number; columns: number }) {
  if (rows <= 0) return null;
  return (
    <tr style={{ height: `${rows * ROW_HEIGHT}px` }}>
      <td colSpan={columns} />
    </tr>
  );
}

/** Widths from the first rows that came; they stay, so that the table does not jump. */
function useWidths(columns: readonly WireColumn[], { rows, stream, where }: LiveView): Width[] {
  const kept = useRef<{ key: string; sample: readonly Row[] }>({ key: "", sample: [] });
  const key = JSON.stringify([stream, where]);
  if (kept.current.key !== key || kept.current.sample.length < 20) kept.current = { key, sample: rows.slice(0, 100) };
  return columnWidths(columns, kept.current.sample);
}

function total(widths: readonly Width[]): number {
  return widths.reduce((sum, { characters }) => sum + characters, 0);
}
