// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";
import { InvalidValueError, type RecordBatch, type RecordReaderOptions } from "@skep/ebpf";
import type { Poller } from "@skep/linux";

const defaultMaxRecords = 4096;
/** Wake-ups without a record until the next wait is put off. */
const patience = 8;

/** The part of a reader that iteration needs. */
export interface PollableReader {
  readonly closed: boolean;
  poll(): RecordBatch | undefined;
}

/** `maxRecords` of a reader's options, checked. */
export function maxRecordsOf(options: RecordReaderOptions, object: string): number {
  const { maxRecords = defaultMaxRecords } = options;
  if (Number.isInteger(maxRecords) && maxRecords >= 1 && maxRecords <= 1 << 24) return maxRecords;
  throw new InvalidValueError(`${object}: maxRecords is ${maxRecords}, a whole number from 1 to ${1 << 24} is wanted`);
}

/**
 * Yields what a reader finds until it is closed or the signal aborts. Between two batches the event loop gets a
 * turn, so that timers and sockets are served however fast records come in.
 */
export async function* iterateRecords(
  reader: PollableReader,
  poller: Poller,
  signal: AbortSignal | undefined,
): AsyncGenerator<RecordBatch, void, undefined> {
  let fruitless = 0;
  while (!reader.closed && !signal?.aborted) {
    const batch = reader.poll();
    if (batch !== undefined) {
      fruitless = 0;
      yield batch;
      await new Promise((resolve) => setImmediate(resolve));
      continue;
    }
    // A ring counts as readable while its first record is reserved and not yet submitted: do not spin on it.
    if (fruitless > patience) await sleep(1);
    if (reader.closed) return;
    if (!(await poller.wait(signal))) return;
    fruitless++;
  }
}
