// SPDX-License-Identifier: Apache-2.0

import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** The folder that `skep` keeps its rows in unless told otherwise: /var/lib/skep for root, else under the home folder. */
export function defaultDataFolder(): string {
  if (process.getuid?.() === 0) return "/var/lib/skep";
  return join(process.env["XDG_DATA_HOME"] ?? join(homedir(), ".local", "share"), "skep");
}

/** The folder of `--data`, absolute. */
export function dataFolder(option: string | undefined): string {
  return option === undefined ? defaultDataFolder() : resolve(option);
}
