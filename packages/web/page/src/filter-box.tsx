// SPDX-License-Identifier: Apache-2.0

import { useEffect, useRef, useState } from "preact/hooks";
import type { WireColumn } from "../../src/wire.ts";
import type { FilterProblem } from "./live-rows.ts";

const DEBOUNCE_MS = 400;

interface FilterBoxProps {
  /** The filter in the address. */
  where: string;
  problem: FilterProblem | undefined;
  columns: readonly WireColumn[];
  apply: (where: string) => void;
}

/** Where the filter is typed. It applies after a pause or on Enter; Escape empties it; `/` goes to it. */
export function FilterBox({ where, problem, columns, apply }: FilterBoxProps) {
  const [text, setText] = useState(where);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => setText(where), [where]);
  useEffect(() => {
    if (text === where) return;
    const timer = setTimeout(() => apply(text), DEBOUNCE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener("keydown", focus);
    return () => removeEventListener("keydown", focus);
  }, []);

  const shown = problem !== undefined && problem.where === text ? problem : undefined;
  const example = exampleFor(columns);
  return (
    <div class="filter">
      <div class={`filter-line ${shown === undefined ? "" : "wrong"}`}>
        <label for="filter">Filter</label>
        <input
          id="filter"
          ref={input}
          type="text"
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          placeholder={`${example} – or any word`}
          aria-invalid={shown !== undefined}
          aria-describedby="filter-problem"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter") apply(text);
            if (event.key === "Escape") apply("");
            if (event.key === "Escape") setText("");
          }}
        />
        {text !== "" && (
          <button type="button" class="plain" aria-label="Clear the filter" onClick={() => apply("")}>
            ×
          </button>
        )}
      </div>
      <div id="filter-problem" role="alert">
        {shown !== undefined && <Problem problem={shown} />}
      </div>
    </div>
  );
}

function Problem({ problem: { where, message, position } }: { problem: FilterProblem }) {
  return (
    <p class="filter-problem">
      {position !== undefined && (
        <code>
          {where.slice(0, position)}
          <mark>{where.slice(position, position + 1) || "\u00a0"}</mark>
          {where.slice(position + 1)}
        </code>
      )}
      <span>{message}</span>
    </p>
  );
}

/** A filter that fits this stream: a text and a number, when it has them. */
function exampleFor(columns: readonly WireColumn[]): string {
  const has = (name: string): boolean => columns.some((column) => column.name === name);
  if (has("comm") && has("uid")) return 'comm = "bash" and uid = 0';
  const text = columns.find(({ type }) => type === "text");
  return text === undefined ? "column = value" : `${text.name} = "value"`;
}
