// SPDX-License-Identifier: Apache-2.0

import type { WireError } from "../../src/wire.ts";
import { parseRow, type Row } from "./row.ts";
import { serverEvents } from "./server-events.ts";
import { microseconds } from "./time.ts";

/** Most rows that the page keeps. */
export const MOST_ROWS = 5000;
const BACKLOG = 500;
const OLDER = 500;
const FLUSH_MS = 120;
const RETRY_MS = 1500;

/** Why a filter was refused. */
export interface FilterProblem {
  readonly where: string;
  readonly message: string;
  readonly position: number | undefined;
}

/** What the table shows. */
export interface LiveView {
  readonly stream: string;
  /** The filter that these rows passed. */
  readonly where: string;
  /** Newest first. */
  readonly rows: readonly Row[];
  readonly state: "connecting" | "live" | "retrying";
  /** Rows that came while the table stood still. */
  readonly waiting: number;
  /** Rows that this page was too slow for. */
  readonly missed: number;
  readonly problem: FilterProblem | undefined;
  /** Whether the store may hold rows older than the last. */
  readonly older: "unknown" | "loading" | "none";
}

const NOTHING: LiveView = {
  stream: "",
  where: "",
  rows: [],
  state: "connecting",
  waiting: 0,
  missed: 0,
  problem: undefined,
  older: "unknown",
};

/**
 * The rows of one stream and filter, kept up to date. Another filter takes over once the server accepted it; until
 * then, and when it is refused, the rows of the one before go on.
 */
export class LiveRows {
  view: LiveView = NOTHING;
  readonly #changed: (view: LiveView) => void;
  #current = new AbortController();
  /** A filter that the server has not accepted yet. */
  #candidate: AbortController | undefined;
  /** Lines that are not on the table yet, oldest first. */
  #incoming: string[] = [];
  #held = false;
  #newest = 0;
  #oldest = 0;
  #flushing: ReturnType<typeof setTimeout> | undefined;

  constructor(changed: (view: LiveView) => void) {
    this.#changed = changed;
  }

  /** Shows a stream through a filter. */
  select(stream: string, where: string): void {
    this.#candidate?.abort();
    const candidate = new AbortController();
    this.#candidate = candidate;
    if (stream !== this.view.stream) this.#begin(candidate, stream, where);
    void this.#follow(candidate, stream, where);
  }

  /** Keeps new rows off the table, or lets them on. */
  hold(held: boolean): void {
    if (this.#held === held) return;
    this.#held = held;
    if (!held) this.#flush();
  }

  /** Fetches rows from the store that are older than the last on the table. */
  async loadOlder(): Promise<void> {
    const { stream, where, rows, older } = this.view;
    if (older === "loading") return;
    const signal = this.#current.signal;
    this.#update({ older: "loading" });
    const before = microseconds(rows.at(-1)?.values["time"]);
    const query = new URLSearchParams({ limit: String(OLDER), where });
    if (before !== undefined) query.set("before", String(Math.floor(before)));
    try {
      const response = await fetch(`api/rows/${encodeURIComponent(stream)}?${query}`, { signal });
      const lines = response.ok ? (await response.text()).split("\n").filter((line) => line !== "") : [];
      const found = lines.map((line) => parseRow(line, --this.#oldest));
      this.#update({
        rows: [...this.view.rows, ...found].slice(0, MOST_ROWS),
        older: response.ok && lines.length < OLDER ? "none" : "unknown",
      });
    } catch {
      // The connection broke, or another filter took over; the rows at hand stand, and one may ask again.
      if (!signal.aborted) this.#update({ older: "unknown" });
    }
  }

  /** Ends it. */
  close(): void {
    this.#candidate?.abort();
    this.#current.abort();
    clearTimeout(this.#flushing);
  }

  #begin(controller: AbortController, stream: string, where: string): void {
    if (this.#current !== controller) this.#current.abort();
    this.#current = controller;
    if (this.#candidate === controller) this.#candidate = undefined;
    this.#incoming = [];
    this.#update({ ...NOTHING, stream, where });
  }

  async #follow(controller: AbortController, stream: string, where: string): Promise<void> {
    const { signal } = controller;
    const query = new URLSearchParams({ where, backlog: String(BACKLOG) });
    while (!signal.aborted) {
      try {
        const response = await fetch(`api/rows/${encodeURIComponent(stream)}/live?${query}`, { signal });
        if (response.status === 400) {
          this.#refused(where, (await response.json()) as WireError);
          return;
        }
        if (response.ok && response.body !== null) {
          // The first answer of a new filter clears the table; that of a renewed connection goes on with it.
          if (this.#current !== controller || this.view.state === "connecting") this.#begin(controller, stream, where);
          this.#update({ state: "live", problem: undefined });
          await this.#take(response.body, signal);
        }
      } catch {
        // The connection broke or was refused: `state` says so, and it is tried again below.
      }
      if (signal.aborted) return;
      if (this.#current === controller) this.#update({ state: "retrying" });
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  async #take(body: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<void> {
    // A renewed connection begins with rows that the table may have already.
    const known = new Set([...this.view.rows.slice(0, BACKLOG).map(({ line }) => line), ...this.#incoming]);
    let first = true;
    for await (const { type, data } of serverEvents(body)) {
      if (signal.aborted) return;
      if (type === "missed") this.#update({ missed: this.view.missed + Number(data[0]) });
      if (type !== "rows") continue;
      this.#incoming.push(...(first ? data.filter((line) => !known.has(line)) : data));
      if (first) {
        first = false;
        this.#flush();
        if (this.view.rows.length < BACKLOG / 2 && this.view.older === "unknown") void this.loadOlder();
      }
      this.#flushing ??= setTimeout(() => this.#flush(), FLUSH_MS);
    }
  }

  #refused(where: string, { error }: WireError): void {
    this.#candidate = undefined;
    this.#update({ problem: { where, message: error.message, position: error.position } });
  }

  #flush(): void {
    clearTimeout(this.#flushing);
    this.#flushing = undefined;
    const incoming = this.#incoming;
    if (this.#held && this.view.rows.length > 0) {
      const excess = Math.max(0, incoming.length - MOST_ROWS);
      incoming.splice(0, excess);
      const waiting = incoming.length;
      if (waiting !== this.view.waiting || excess > 0) this.#update({ waiting, missed: this.view.missed + excess });
      return;
    }
    if (incoming.length === 0 && this.view.waiting === 0) return;
    this.#incoming = [];
    const rows = incoming.slice(-MOST_ROWS).map((line) => parseRow(line, ++this.#newest));
    rows.reverse();
    this.#update({ rows: [...rows, ...this.view.rows].slice(0, MOST_ROWS), waiting: 0 });
  }

  #update(change: Partial<LiveView>): void {
    this.view = { ...this.view, ...change };
    this.#changed(this.view);
  }
}
