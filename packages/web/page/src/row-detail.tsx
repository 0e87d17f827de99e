// SPDX-License-Identifier: Apache-2.0

import { useEffect, useRef } from "preact/hooks";
import type { WireColumn, WireStream } from "../../src/wire.ts";
import { filterFor, fullText, type Row } from "./row.ts";

interface RowDetailProps {
  stream: WireStream;
  columns: readonly WireColumn[];
  row: Row;
  close: () => void;
  narrow: (column: WireColumn, value: unknown) => void;
}

/** Every column of one row, in full. Escape closes it. */
export function RowDetail({ stream, columns, row, close, narrow }: RowDetailProps) {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    const closeOnEscape = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && !(event.target instanceof HTMLInputElement)) close();
    };
    addEventListener("keydown", closeOnEscape);
    return () => removeEventListener("keydown", closeOnEscape);
  }, [close]);
  return (
    <aside class="detail" ref={panel} aria-label="Row">
      <div class="detail-head">
        <h2>{stream.schema.name}</h2>
        <button type="button" onClick={() => void navigator.clipboard.writeText(row.line)}>
          Copy JSON
        </button>
        <button type="button" class="plain" aria-label="Close" onClick={close}>
          ×
        </button>
      </div>
      <dl>
        {columns.map((column) => {
          const value = row.values[column.name];
          return (
            <div key={column.name}>
              <dt>
                {column.name} <span class="type">{column.type}</span>
                {filterFor(column, value) !== undefined && (
                  <button
                    type="button"
                    class="plain narrow"
                    title={`Show only rows with this ${column.name}`}
                    onClick={() => narrow(column, value)}
                  >
                    filter
                  </button>
                )}
              </dt>
              <dd>{Array.isArray(value) ? <Items values={value} /> : fullText(column, value)}</dd>
              {column.description !== undefined && <dd class="description">{column.description}</dd>}
            </div>
          );
        })}
      </dl>
    </aside>
  );
}

function Items({ values }: { values: readonly unknown[] }) {
  if (values.length === 0) return <>empty</>;
  return (
    <ol start={0}>
      {values.map((value, index) => (
        <li key={index}>{String(value)}</li>
      ))}
    </ol>
  );
}
