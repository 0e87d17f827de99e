// SPDX-License-Identifier: Apache-2.0

import { closeSync, constants, openSync } from "node:fs";

/** The longest path of a Unix socket, without the NUL that ends it. */
const SOCKET_PATH = 107;

/** What PostgreSQL calls its socket. */
const SOCKET_NAME = "/.s.PGSQL.5432";

/**
 * A path to a folder with a socket, short enough to connect by: the folder's own, or, when that is too long, one
 * through a descriptor that is held open until the result is disposed of (Linux).
 */
export function openSocketFolder(folder: string): Disposable & { readonly path: string } {
  if (Buffer.byteLength(folder + SOCKET_NAME) <= SOCKET_PATH || process.platform !== "linux") {
    return { path: folder, [Symbol.dispose]: () => undefined };
  }
  let fd: number | undefined = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  return {
    path: `/proc/self/fd/${fd}`,
    [Symbol.dispose]: () => {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}
