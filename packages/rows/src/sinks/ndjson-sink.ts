// SPDX-License-Identifier: Apache-2.0

import { type FileHandle, open } from "node:fs/promises";
import type { Writable } from "node:stream";
import { encodeJsonRow } from "../cells/row-json.ts";
import type { ColumnBatch } from "../column-batch.ts";
import type { Sink } from "../sink.ts";

/** Lines are handed on in pieces of about this many characters. */
const PIECE = 256 * 1024;

/** How far back an unfinished last line is looked for. */
const LAST_LINE = 64 * 2 ** 20;

/** How lines are counted; where they go is the first argument. */
export interface NdjsonSinkOptions {
  /** Names it in the ledger; `ndjson:PATH`, or `ndjson` for a stream, when not given. */
  readonly name?: string;
}

/**
 * Writes each row as a JSON object on a line of its own, to a file or a stream.
 *
 * To a file it appends, one call of `write` at a time, and syncs the data before the call resolves. When a call
 * fails half-way (a full disk), the file is cut back to where it was, and to the end of its last whole line when it
 * is opened after a crash, so that no row is there twice and no line is half there. The file is opened again after
 * a failure, so a file that was replaced is found again.
 *
 * To a stream, a failed write is final: a pipe without a reader (EPIPE) has nobody to see a row twice.
 */
export class NdjsonSink implements Sink {
  readonly name: string;
  readonly #target: string | Writable;
  #file: FileHandle | undefined;
  /** Without a listener a stream's error would end the process; the callback of the write gets it too. */
  readonly #ignore = () => undefined;
  /** Calls one after another: several streams may share the file. */
  #last: Promise<void> = Promise.resolve();

  /** @param target - path of a file, made when it is missing, or a stream, which {@link close} leaves open */
  constructor(target: string | Writable, options: NdjsonSinkOptions = {}) {
    this.#target = target;
    this.name = options.name ?? (typeof target === "string" ? `ndjson:${target}` : "ndjson");
    if (typeof target !== "string") target.on("error", this.#ignore);
  }

  async open(): Promise<void> {
    await this.#inTurn(async () => {
      if (typeof this.#target === "string") this.#file ??= await openAtLineEnd(this.#target);
    });
  }

  async write(batches: readonly ColumnBatch[]): Promise<void> {
    const target = this.#target;
    await this.#inTurn(() => (typeof target === "string" ? this.#toFile(target, batches) : toStream(target, batches)));
  }

  async close(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#file?.close();
      this.#file = undefined;
    });
    if (typeof this.#target !== "string") this.#target.off("error", this.#ignore);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #toFile(path: string, batches: readonly ColumnBatch[]): Promise<void> {
    this.#file ??= await openAtLineEnd(path);
    const file = this.#file;
    const before = await file.stat();
    try {
      for (const piece of pieces(batches)) await file.appendFile(piece);
      if (before.isFile()) await file.datasync();
    } catch (error) {
      this.#file = undefined;
      await cutBack(file, before.isFile() ? before.size : undefined);
      throw error;
    }
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const result = this.#last.then(action);
    // The next call waits for this one, and is not concerned with its failure.
    this.#last = result.catch(() => undefined);
    return result;
  }
}

function* pieces(batches: readonly ColumnBatch[]): Generator<string> {
  let piece = "";
  for (const batch of batches) {
    for (let row = 0; row < batch.length; row++) {
      piece += `${encodeJsonRow(batch, row)}\n`;
      if (piece.length < PIECE) continue;
      yield piece;
      piece = "";
    }
  }
  if (piece !== "") yield piece;
}

async function toStream(stream: Writable, batches: readonly ColumnBatch[]): Promise<void> {
  for (const piece of pieces(batches)) {
    await new Promise<void>((resolve, reject) => {
      stream.write(piece, (error) => (error ? reject(error) : resolve()));
    });
  }
}

/** Closes a file after cutting it to a size; pipes and devices cannot be cut. */
async function cutBack(file: FileHandle, size: number | undefined): Promise<void> {
  try {
    if (size !== undefined) await file.truncate(size);
  } finally {
    await file.close();
  }
}

/** Opens a file for appending, without the unfinished line that a process left there when it was killed. */
async function openAtLineEnd(path: string): Promise<FileHandle> {
  const file = await open(path, "a+", 0o640);
  try {
    const stat = await file.stat();
    if (stat.isFile() && stat.size > 0) {
      const end = await lastLineEnd(file, stat.size);
      if (end < stat.size) await file.truncate(end);
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function lastLineEnd(file: FileHandle, size: number): Promise<number> {
  const buffer = Buffer.alloc(64 * 1024);
  const stop = Math.max(0, size - LAST_LINE);
  for (let end = size; end > stop; ) {
    const start = Math.max(stop, end - buffer.length);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    const newline = buffer.subarray(0, bytesRead).lastIndexOf(0x0a);
    if (newline !== -1) return start + newline + 1;
    end = start;
  }
  // No line end in sight: either the file is one unfinished line, or it is not ours to cut.
  return stop === 0 ? 0 : size;
}
