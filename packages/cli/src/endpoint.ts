// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDataFolderInUse } from "@skep/rows";
import { z } from "zod";
import { isErrno } from "./is-errno.ts";

const schema = z.strictObject({
  pid: z.int().positive(),
  /** Origin of its server: always an address of this machine's own. */
  url: z.url({ protocol: /^https?$/ }),
  token: z.string().min(1),
  /** The certificate that it shows, in PEM, when it speaks TLS: the only one to trust there. */
  certificate: z.string().optional(),
});

/** Where a running `skep up` answers, and the token that it wants. */
export type Endpoint = z.infer<typeof schema>;

/** The file in the data folder by which other commands find a running `skep up`; only its owner can read it. */
const FILE = "endpoint.json";

/** Publishes where this process answers; it must own the data folder. Disposing takes it back. */
export function publishEndpoint(data: string, endpoint: Endpoint): Disposable {
  const path = join(data, FILE);
  // Nobody can have put something else in the place of a name that was not there before.
  const draft = `${path}.${randomBytes(8).toString("hex")}`;
  const fd = openSync(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    writeFileSync(fd, JSON.stringify(endpoint));
  } finally {
    closeSync(fd);
  }
  renameSync(draft, path);
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

/**
 * The `skep up` that runs on this data folder. Whether one does is the folder's lock to say: a file that a killed
 * one left, or that is not whole, counts for nothing.
 */
export function findEndpoint(data: string): Endpoint | undefined {
  const owner = isDataFolderInUse(data);
  if (owner === undefined) return undefined;
  const endpoint = parse(readEndpoint(data));
  return endpoint?.pid === owner.pid ? endpoint : undefined;
}

/** Paths of the files that killed ones left in the data folder. */
export function endpointFiles(data: string): string[] {
  try {
    return readdirSync(data)
      .filter((name) => name === FILE || name.startsWith(`${FILE}.`))
      .map((name) => join(data, name));
  } catch (cause) {
    if (isErrno(cause, "ENOENT", "ENOTDIR")) return [];
    throw cause;
  }
}

function readEndpoint(data: string): string {
  try {
    return readFileSync(join(data, FILE), "utf8");
  } catch (cause) {
    if (isErrno(cause, "ENOENT")) return "";
    throw cause;
  }
}

function parse(text: string): Endpoint | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    // Empty, or cut off by a full disk.
    return undefined;
  }
}
