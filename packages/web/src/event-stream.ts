// SPDX-License-Identifier: Apache-2.0

import type { LiveRows } from "./backend.ts";

/** Milliseconds without rows after which a comment is sent, so that nobody on the way takes the stream for dead. */
export const HEARTBEAT_MS = 15_000;

/**
 * Rows as server-sent events (HTML standard, 9.2): `rows` with one JSON object a data line, `missed` with a count,
 * and, when the source fails, `failed` with a message. One item is taken only when the one before was sent.
 */
export async function* eventStream(
  source: AsyncIterable<LiveRows>,
  heartbeatMs: number,
  onError: (error: unknown) => void,
): AsyncGenerator<string> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    let next = iterator.next();
    for (;;) {
      const item = await within(next, heartbeatMs);
      if (item === undefined) {
        yield ": still here\n\n";
        continue;
      }
      if (item.done === true) return;
      yield encode(item.value);
      next = iterator.next();
    }
  } catch (error) {
    onError(error);
    yield `event: failed\ndata: ${JSON.stringify(error instanceof Error ? error.message : String(error))}\n\n`;
  } finally {
    await iterator.return?.();
  }
}

function encode({ lines, missed }: LiveRows): string {
  const rows = lines.length === 0 ? "" : `data: ${lines.join("\ndata: ")}\n`;
  const gap = missed === 0 ? "" : `event: missed\ndata: ${missed}\n\n`;
  // An event without data is not dispatched to `EventSource`, but tells our own reader that the backlog was empty.
  return `${gap}event: rows\n${rows}\n`;
}

/** What `promise` resolves to, or undefined when that takes longer than `ms`. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
