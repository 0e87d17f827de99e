// SPDX-License-Identifier: Apache-2.0

import type { Pool, PoolClient } from "pg";
import { ClientLease } from "./client-lease.ts";

/**
 * Runs an action in a transaction on a connection of its own: committed when it resolves, else rolled back. After
 * a failure the connection is thrown away, because what it is in the middle of may be unknown.
 */
export async function inTransaction<Result>(
  pool: Pool,
  action: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  using lease = new ClientLease(await pool.connect());
  const { client } = lease;
  await client.query("begin");
  const result = await action(client);
  await client.query("commit");
  lease.giveBack();
  return result;
}
