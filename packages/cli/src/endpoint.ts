// SPDX-License-Identifier: Apache-2.0

import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const schema = z.strictObject({ pid: z.int().positive(), url: z.url(), token: z.string().min(1) });

/** Where a running `skep up` answers, and the token that it wants. */
export type Endpoint = z.infer<typeof schema>;

/** The file in the data folder by which other commands find a running `skep up`; only its owner can read it. */
export function endpointPath(data: string): string {
  return join(data, "endpoint.json");
}

/** Publishes where this process answers. Disposing takes it back. */
export function publishEndpoint(data: string, endpoint: Endpoint): Disposable {
  const path = endpointPath(data);
  writeFileSync(`${path}.new`, JSON.stringify(endpoint), { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

/** The `skep up` that runs on this data folder; undefined when there is none, also when it was killed. */
export function findEndpoint(data: string): Endpoint | undefined {
  let text: string;
  try {
    text = readFileSync(endpointPath(data), "utf8");
  } catch (cause) {
    if (isErrno(cause, "ENOENT") || isErrno(cause, "ENOTDIR")) return undefined;
    throw cause;
  }
  const endpoint = schema.parse(JSON.parse(text));
  return isRunning(endpoint.pid) ? endpoint : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    // EPERM: it runs, as somebody else.
    return isErrno(cause, "EPERM");
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
