// SPDX-License-Identifier: Apache-2.0

import { SkepError } from "@skep/ebpf";
import { isErrno } from "../is-errno.ts";

/** Nobody reads our output any more, as in `skep rows exec | head`: its reader has seen enough. */
export class ReaderGoneError extends SkepError {
  constructor(cause: Error) {
    super("ERR_READER_GONE", "nobody reads the output any more", { cause });
  }
}

/**
 * Writes text to standard output and resolves when the system has taken it, so that whoever has more to print waits
 * for its reader instead of filling memory. Rejects with {@link ReaderGoneError}, with what else went wrong (a full
 * disk), or with the signal's reason.
 */
export async function print(text: string, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const giveUp = (): void => reject(signal?.reason);
  signal?.addEventListener("abort", giveUp, { once: true });
  process.stdout.write(text, (error) => {
    if (!error) resolve();
    else reject(isErrno(error, "EPIPE", "ECONNRESET", "ERR_STREAM_DESTROYED") ? new ReaderGoneError(error) : error);
  });
  try {
    await promise;
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
}

/**
 * Keeps failing output from ending the process: there may be rows to store and programs to detach. {@link print}
 * tells whoever printed.
 */
export function outliveReaders(): void {
  const ignore = (): void => undefined;
  process.stdout.on("error", ignore);
  process.stderr.on("error", ignore);
}
