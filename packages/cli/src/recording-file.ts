// SPDX-License-Identifier: Apache-2.0

import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { SkepError } from "@skep/ebpf";

/**
 * The file of `--record`. It is opened, and what it held before given up, only by {@link begin}: a run that fails
 * to start leaves it as it was. Whatever happens it holds whole chunks only, so that it can be played.
 */
export class RecordingFile implements Disposable {
  readonly #path: string;
  readonly #failed = new AbortController();
  /** Chunks that came before the file was opened; undefined from then on. */
  #waiting: Uint8Array[] | undefined = [];
  #fd: number | undefined;
  #size = 0;
  #error: SkepError | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Aborted when the recording broke off. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Opens the file and writes what came so far. Throws when it cannot be opened. */
  begin(): void {
    try {
      this.#fd = openSync(this.#path, "w", 0o600);
    } catch (cause) {
      throw problem(this.#path, cause);
    }
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const chunk of waiting) this.write(chunk);
  }

  /** Adds a chunk. Never throws, for observing goes on; see {@link failed} and {@link throwIfFailed}. */
  write(chunk: Uint8Array): void {
    this.#waiting?.push(chunk);
    if (this.#fd === undefined) return;
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(this.#fd, chunk, at);
      this.#size += chunk.length;
    } catch (cause) {
      this.#breakOff(this.#fd, cause);
    }
  }

  /** Throws what the recording broke off for. */
  throwIfFailed(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  [Symbol.dispose](): void {
    this.#waiting = undefined;
    if (this.#fd !== undefined) this.#close(this.#fd);
  }

  #breakOff(fd: number, cause: unknown): void {
    this.#error = problem(this.#path, cause);
    try {
      // The last chunk may be there in part, and a player would take what follows for the rest of it.
      if (fstatSync(fd).isFile()) ftruncateSync(fd, this.#size);
    } catch (error) {
      this.#error = problem(this.#path, error);
    }
    this.#close(fd);
    this.#failed.abort();
  }

  #close(fd: number): void {
    this.#fd = undefined;
    try {
      closeSync(fd);
    } catch (cause) {
      this.#error ??= problem(this.#path, cause);
    }
  }
}

function problem(path: string, cause: unknown): SkepError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SkepError("ERR_RECORDING", `recording to ${path} broke off: ${reason}`, { cause });
}
