// SPDX-License-Identifier: Apache-2.0

import type { Pool, PoolClient } from "pg";

/**
 * Runs an action in a transaction on a connection of its own: committed when it resolves, else rolled back. After
 * a failure the connection is thrown away, because what it is in the middle of may be unknown.
 */
export async function inTransaction<Result>(
  pool: Pool,
  action: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  // The query under way is told of a broken connection; without a listener so would be the whole process.
  const ignore = () => undefined;
  client.on("error", ignore);
  try {
    await client.query("begin");
    const result = await action(client);
    await client.query("commit");
    client.off("error", ignore);
    client.release();
    return result;
  } catch (error) {
    client.release(error instanceof Error ? error : true);
    throw error;
  }
}
