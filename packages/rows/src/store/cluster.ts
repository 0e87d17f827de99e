// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { StoreError } from "../errors.ts";
import { spawnPostgres } from "./postgres-command.ts";
import type { PostgresUser } from "./postgres-user.ts";

/** The role that owns the database; the operating system's user that started PostgreSQL connects as it. */
export const STORE_USER = "skep";

/** What folders in which initdb is not done are called, before six random characters. */
const UNFINISHED = "pg.new-";

/** The database, made by initdb. */
export const STORE_DATABASE = "postgres";

/** Whether a data folder has a database cluster. */
export function hasCluster(data: string): boolean {
  return statSync(join(data, "pg", "PG_VERSION"), { throwIfNoEntry: false })?.isFile() === true;
}

/**
 * Makes the database cluster DATA/pg, unless it is there. It is made under another name and renamed when it is
 * complete: what a killed attempt left is removed. The encoding is UTF-8 and the collation "C", built into
 * PostgreSQL, so that nothing depends on the machine's locales.
 *
 * @param native - folder with PostgreSQL's programs
 * @throws {@link StoreError} when the cluster is of another major version, or initdb fails
 */
export async function ensureCluster(data: string, native: string, major: string, user: PostgresUser): Promise<void> {
  const cluster = join(data, "pg");
  removeUnfinished(data);
  if (existsSync(cluster)) {
    checkMajor(cluster, major);
    return;
  }
  // A name of its own: what a killed initdb had started may write for a moment longer.
  const unfinished = mkdtempSync(join(data, UNFINISHED));
  if (user.isOther) chownSync(unfinished, user.uid, user.gid);
  await initdb(unfinished, native, user, data);
  const hba = join(unfinished, "pg_hba.conf");
  const ident = join(unfinished, "pg_ident.conf");
  // The socket's folder is closed to other users; peer tells us from others who run as PostgreSQL's user.
  writeFileSync(hba, `local all all peer map=${STORE_USER}\n`);
  writeFileSync(ident, `${STORE_USER} ${quoted(user.connectsAs)} ${STORE_USER}\n`);
  for (const file of [hba, ident]) {
    chmodSync(file, 0o600);
    if (user.isOther) chownSync(file, user.uid, user.gid);
  }
  renameSync(unfinished, cluster);
  // What a killed attempt had started was still writing when it was removed first.
  removeUnfinished(data);
}

function removeUnfinished(data: string): void {
  for (const name of readdirSync(data)) {
    if (!name.startsWith(UNFINISHED)) continue;
    try {
      rmSync(join(data, name), { recursive: true, maxRetries: 5, retryDelay: 20 });
    } catch {
      // Something is still being written there; it goes the next time.
    }
  }
}

function checkMajor(cluster: string, major: string): void {
  const found = readFileSync(join(cluster, "PG_VERSION"), "utf8").trim();
  if (found === major) return;
  throw new StoreError(
    `${cluster} was made by PostgreSQL ${found}, this is PostgreSQL ${major}; choose another data folder, ` +
      `or move the rows with pg_dump of PostgreSQL ${found} and psql`,
  );
}

async function initdb(cluster: string, native: string, user: PostgresUser, cwd: string): Promise<void> {
  const args = [
    `--pgdata=${cluster}`,
    `--username=${STORE_USER}`,
    "--auth=peer",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
  ];
  const child = spawnPostgres(join(native, "bin/initdb"), args, user, cwd, "KILL");
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (code === 0) return;
  const reason = output.trim().split("\n").slice(-4).join("; ");
  throw new StoreError(
    `initdb of ${cluster} ended with ${signal ?? `status ${code}`}: ${reason || "it wrote nothing"}`,
  );
}

/** A name as pg_ident.conf takes it, whatever is in it. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
