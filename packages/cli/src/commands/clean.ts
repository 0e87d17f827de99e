// SPDX-License-Identifier: Apache-2.0

import { existsSync, rmSync } from "node:fs";
import { lockDataFolder, removeStore } from "@skep/rows";
import { dataFolder } from "../data-folder.ts";
import { endpointFiles } from "../endpoint.ts";
import { print } from "../output/print.ts";

/** Options of `skep clean`. */
export interface CleanOptions {
  readonly data?: string;
  /** Delete the stored rows too. */
  readonly rows?: boolean;
}

/**
 * `skep clean`: removes what a killed `skep up` left in its data folder, and with `--rows` all that Skep keeps there.
 * Refuses a folder that is in use. The kernel holds nothing of a process that ended: Skep pins nothing.
 */
export async function clean(options: CleanOptions): Promise<void> {
  const data = dataFolder(options.data);
  const removed = options.rows === true && existsSync(data) ? removeStore(data) : removeEndpoint(data);
  await print(removed.length === 0 ? "nothing to clean\n" : removed.map((path) => `removed ${path}\n`).join(""));
}

function removeEndpoint(data: string): string[] {
  // Looked for before the lock is taken: locking leaves a file, also in a folder that is none of ours.
  if (endpointFiles(data).length === 0) return [];
  using _lock = lockDataFolder(data, "skep clean");
  const files = endpointFiles(data);
  for (const file of files) rmSync(file, { force: true });
  return files;
}
