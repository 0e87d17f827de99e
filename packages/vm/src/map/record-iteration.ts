// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, type RecordBatch, type RecordReaderOptions } from "@skep/ebpf";
import type { RecordSignal } from "./record-signal.ts";

const defaultMaxRecords = 4096;

/** The part of a reader that iteration needs. */
export interface PollableReader {
  readonly closed: boolean;
  poll(): RecordBatch | undefined;
}

/** `maxRecords` of a reader's options, checked. */
export function maxRecordsOf({ maxRecords = defaultMaxRecords }: RecordReaderOptions, object: string): number {
  if (Number.isInteger(maxRecords) && maxRecords >= 1 && maxRecords <= 1 << 24) return maxRecords;
  throw new InvalidValueError(`${object}: maxRecords is ${maxRecords}, a whole number from 1 to ${1 << 24} is wanted`);
}

/**
 * Yields what a reader finds until it is closed or the signal aborts. Between two batches the event loop gets a turn, so that
 * timers and messages are served however fast records come in.
 */
export async function* iterateRecords(
  reader: PollableReader,
  records: RecordSignal,
  signal: AbortSignal | undefined,
): AsyncGenerator<RecordBatch, void, undefined> {
  while (!reader.closed && !signal?.aborted) {
    const { seen } = records;
    const batch = reader.poll();
    if (batch === undefined) {
      await records.wait(seen, signal);
    } else {
      yield batch;
      await nextTurn();
    }
  }
}

/** Behind what the event loop has to do now. Timers would be put off by milliseconds. */
function nextTurn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
