// SPDX-License-Identifier: Apache-2.0

import { appendFileSync, renameSync, statSync } from "node:fs";

/** Last lines kept in memory, for error messages. */
const LINES = 20;

/** A log file that is renamed to `FILE.1` when it is full, so that two of them are the most there ever are. */
export class BoundedLog {
  readonly path: string;
  readonly #limit: number;
  #size: number;
  #last: string[] = [];

  /** @param limit - bytes of one file */
  constructor(path: string, limit: number) {
    this.path = path;
    this.#limit = limit;
    this.#size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Appends text. A log that cannot be written (a full disk) loses it: what is logged matters less than what runs. */
  append(text: string): void {
    this.#last = [...this.#last, ...text.split("\n").filter((line) => line !== "")].slice(-LINES);
    try {
      if (this.#size + text.length > this.#limit && this.#size > 0) {
        renameSync(this.path, `${this.path}.1`);
        this.#size = 0;
      }
      appendFileSync(this.path, text, { mode: 0o600 });
      this.#size += Buffer.byteLength(text);
    } catch {
      // The disk is full or gone; the store's own errors tell.
    }
  }

  /** The last lines, or `nothing`. */
  tail(lines: number): string {
    return this.#last.slice(-lines).join("; ") || "nothing";
  }
}
