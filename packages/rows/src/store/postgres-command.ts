// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import { StoreError } from "../errors.ts";
import type { PostgresUser } from "./postgres-user.ts";

/** Where Debian, Fedora and Alpine (package setpriv) have it. */
const SETPRIV = ["/usr/bin/setpriv", "/bin/setpriv"];

/**
 * Starts a program of PostgreSQL as its user, in a session of its own, so that Ctrl-C in our terminal does not reach
 * it. On Linux the kernel sends it a signal when we die, however we die. It holds no capabilities.
 *
 * @param cwd - a folder that the user may be in
 * @param lastSignal - what it gets when we die: SIGQUIT makes the server stop at once, with all of its processes
 * @throws {@link StoreError} outside the main thread: the kernel's signal follows the thread
 */
export function spawnPostgres(
  program: string,
  args: readonly string[],
  user: PostgresUser,
  cwd: string,
  lastSignal: "QUIT" | "KILL",
): ChildProcess {
  if (!isMainThread) throw new StoreError("PostgreSQL can be started from the main thread only");
  const options: SpawnOptions = { cwd, detached: true, stdio: ["ignore", "pipe", "pipe"], env: environment() };
  if (process.platform !== "linux") return spawn(program, args, options);
  const setpriv = SETPRIV.find((path) => existsSync(path));
  if (setpriv === undefined) {
    throw new StoreError(
      "setpriv, which starts PostgreSQL, is missing; install the package util-linux (Alpine: setpriv)",
    );
  }
  const identity = user.isOther ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"] : [];
  const privileges = ["--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs", `--pdeathsig=${lastSignal}`];
  return spawn(setpriv, [...identity, ...privileges, "--", program, ...args], options);
}

/** Nothing of ours that PostgreSQL would act on (PGDATA, PGPORT, LC_ALL, …). */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}
