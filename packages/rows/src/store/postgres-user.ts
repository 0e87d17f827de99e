// SPDX-License-Identifier: Apache-2.0

import { readFileSync, statSync } from "node:fs";
import { type UserInfo, userInfo } from "node:os";
import { dirname } from "node:path";
import { processCapabilities } from "@skep/linux";
import { StoreError } from "../errors.ts";

/** The operating system's user that PostgreSQL runs as. */
export interface PostgresUser {
  readonly uid: number;
  readonly gid: number;
  /** Whether it is another one than ours: PostgreSQL refuses to run as root. */
  readonly isOther: boolean;
  /** The name of our own account, which PostgreSQL knows us by on its socket. */
  readonly connectsAs: string;
}

/**
 * The user that PostgreSQL runs as: `nobody` when we are root, else ourselves.
 *
 * @throws {@link StoreError} when we have no account, or are root and there is no user `nobody`
 */
export function postgresUser(): PostgresUser {
  const { uid, gid, username } = ownAccount();
  if (uid !== 0) return { uid, gid, isOther: false, connectsAs: username };
  const nobody = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .find(([name]) => name === "nobody");
  if (nobody === undefined) {
    throw new StoreError("PostgreSQL does not run as root, and /etc/passwd has no user nobody that it could run as");
  }
  return { uid: Number(nobody[2]), gid: Number(nobody[3]), isOther: true, connectsAs: username };
}

function ownAccount(): UserInfo<string> {
  try {
    return userInfo();
  } catch (cause) {
    throw new StoreError(
      `PostgreSQL runs only for users with an account, and user id ${process.getuid?.()} has none; ` +
        "add it to /etc/passwd, or store rows in a PostgreSQL elsewhere (--store URL)",
      { cause },
    );
  }
}

/**
 * Checks that the user can get into a folder, or that we can show it to the user elsewhere (CAP_SYS_ADMIN).
 *
 * @throws {@link StoreError} naming the first folder on the way that is closed
 */
export function checkReachable(folder: string, user: PostgresUser): void {
  const closed = firstClosed(folder, user);
  if (closed === undefined || processCapabilities().has("CAP_SYS_ADMIN")) return;
  throw new StoreError(
    `PostgreSQL runs as user id ${user.uid}, which cannot enter ${closed} of the data folder's path ${folder}; ` +
      `run "chmod o+x ${closed}", or choose a data folder elsewhere, such as /var/lib/skep`,
  );
}

/** The first folder on the way to a folder, itself included, that the user cannot enter. */
export function firstClosed(folder: string, user: PostgresUser): string | undefined {
  const path: string[] = [];
  for (let parent = folder; ; parent = dirname(parent)) {
    path.unshift(parent);
    if (parent === dirname(parent)) break;
  }
  return user.isOther ? path.find((parent) => !mayTraverse(parent, user)) : undefined;
}

function mayTraverse(folder: string, user: PostgresUser): boolean {
  const { mode, uid, gid } = statSync(folder);
  if (uid === user.uid) return (mode & 0o100) !== 0;
  if (gid === user.gid) return (mode & 0o010) !== 0;
  return (mode & 0o001) !== 0;
}
