// SPDX-License-Identifier: Apache-2.0

import { existsSync, rmSync } from "node:fs";
import { SkepError } from "@skep/ebpf";
import { dataFolder } from "../data-folder.ts";
import { endpointPath, findEndpoint } from "../endpoint.ts";

/** Options of `skep clean`. */
export interface CleanOptions {
  readonly data?: string;
  /** Delete the stored rows too. */
  readonly rows?: boolean;
}

/**
 * `skep clean`: removes what a killed `skep up` left in its data folder, and with `--rows` the folder. The kernel
 * holds nothing of a process that ended: Skep pins nothing.
 */
export function clean(options: CleanOptions): void {
  const data = dataFolder(options.data);
  const running = findEndpoint(data);
  if (running !== undefined) {
    throw new SkepError("ERR_IN_USE", `${data} is in use by process ${running.pid} (${running.url}); end it first`);
  }
  const leftover = options.rows === true ? data : endpointPath(data);
  const found = existsSync(leftover);
  rmSync(leftover, { recursive: true, force: true });
  process.stdout.write(found ? `removed ${leftover}\n` : "nothing to clean\n");
}
