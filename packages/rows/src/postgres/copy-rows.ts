// SPDX-License-Identifier: Apache-2.0

import { escapeIdentifier, type PoolClient } from "pg";
import { from as copyFrom } from "pg-copy-streams";
import type { ColumnBatch } from "../column-batch.ts";
import type { RowSchema } from "../row-schema.ts";
import { COPY_HEADER, COPY_TRAILER, type CopyEncoder } from "./copy-encoder.ts";

/**
 * Copies batches of one stream into a table, by one COPY in binary format.
 *
 * @param table - quoted name
 */
export async function copyRows(
  client: PoolClient,
  table: string,
  schema: RowSchema,
  encoder: CopyEncoder,
  batches: readonly ColumnBatch[],
): Promise<void> {
  const columns = ["time", "node", "workload", ...schema.columns.map(({ name }) => name)].map(escapeIdentifier);
  const copy = client.query(copyFrom(`copy ${table} (${columns.join(", ")}) from stdin (format binary)`));
  let failure: unknown;
  const finished = new Promise<void>((resolve, reject) => {
    copy.once("finish", resolve);
    copy.once("error", (error) => {
      failure = error;
      reject(error);
    });
  });
  // It may fail while nobody waits for it; the next write, or the end, tells.
  finished.catch(() => undefined);
  const write = (data: Uint8Array): Promise<void> | undefined => {
    if (failure !== undefined) throw failure;
    if (copy.write(data)) return undefined;
    return Promise.race([finished, new Promise<void>((resolve) => void copy.once("drain", resolve))]);
  };
  let drained = write(COPY_HEADER);
  for (const batch of batches) {
    for (const block of encoder.encode(batch)) {
      // The server took the last block while this one was encoded.
      await drained;
      drained = write(block);
    }
  }
  await drained;
  if (failure !== undefined) throw failure;
  copy.end(COPY_TRAILER);
  await finished;
}
