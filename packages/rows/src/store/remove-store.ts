// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync, realpathSync, rmdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { StoreError, StoreInUseError } from "../errors.ts";
import { hasCluster } from "./cluster.ts";
import { LOCK_NAME, lockDataFolder } from "./folder-lock.ts";
import { findServer } from "./server-process.ts";

/** Everything that Skep makes in a data folder, but the lock. */
const OURS = [/^pg$/, /^pg\.new-/, /^postgres-\d/, /^postgres\.log(\.1)?$/, /^endpoint\.json(\..+)?$/];

/** A process id and what it runs. */
const LOCK_CONTENTS = /^\d+\n[^\n]+\n$/;

/** Longer than anything that a lock's file holds. */
const LOCK_BYTES = 4096;

/**
 * Removes a store with all of its rows: what Skep makes in a data folder, then the folder when nothing else is in
 * it. Keeps others out meanwhile.
 *
 * @returns the paths that were removed
 * @throws {@link StoreInUseError} when a process owns the folder, or its PostgreSQL still runs
 * @throws {@link StoreError} when the folder is no data folder of Skep, or something in it cannot be removed
 */
export function removeStore(data: string): string[] {
  if (!isStore(data)) {
    throw new StoreError(
      `${data} is no data folder of Skep: it holds neither its database nor its lock; nothing removed`,
    );
  }
  using _lock = lockDataFolder(data, "skep clean");
  const server = findServer(realpathSync(data));
  if (server !== undefined) throw new StoreInUseError(data, server, "PostgreSQL");
  // The lock goes last: what is left when something cannot be removed is still a store.
  const names = readdirSync(data).filter((name) => OURS.some((pattern) => pattern.test(name)));
  const removed: string[] = [];
  for (const name of [...names, LOCK_NAME]) {
    const path = join(data, name);
    try {
      rmSync(path, { recursive: true });
    } catch (cause) {
      throw new StoreError(`${path} cannot be removed: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      });
    }
    removed.push(path);
  }
  try {
    rmdirSync(data);
    removed.push(data);
  } catch {
    // Other things are in it, or it is not ours to remove (a mount, a link): the folder may stay.
  }
  return removed;
}

function isStore(data: string): boolean {
  if (hasCluster(data)) return true;
  const lock = join(data, LOCK_NAME);
  const stat = statSync(lock, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size < LOCK_BYTES && LOCK_CONTENTS.test(readFileSync(lock, "utf8"));
}
