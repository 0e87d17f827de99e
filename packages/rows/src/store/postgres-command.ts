// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import { StoreError } from "../errors.ts";
import { firstClosed, type PostgresUser } from "./postgres-user.ts";

/** Where Debian, Fedora and Alpine (package setpriv) have it. */
const SETPRIV = ["/usr/bin/setpriv", "/bin/setpriv"];

/** Where the data folder is shown to a PostgreSQL that cannot reach it: a folder that nearly every machine has. */
const MOUNT_POINTS = ["/mnt", "/srv", "/opt", "/media"];

/**
 * Starts a program of PostgreSQL as its user, in a session of its own, so that Ctrl-C in our terminal does not reach
 * it. On Linux the kernel sends it a signal when we die, however we die. It holds no capabilities.
 *
 * When the user cannot enter a folder above the data folder, the program sees the data folder at another place, in a mount
 * namespace of its own; the rest of the machine sees nothing of that.
 *
 * @param data - the data folder, in which all that the program works with lies
 * @param lastSignal - what it gets when we die: SIGQUIT makes the server stop at once, with all of its processes
 * @throws {@link StoreError} outside the main thread: the kernel's signal follows the thread
 */
export function spawnPostgres(
  program: string,
  args: readonly string[],
  user: PostgresUser,
  data: string,
  lastSignal: "QUIT" | "KILL",
): ChildProcess {
  if (!isMainThread) throw new StoreError("PostgreSQL can be started from the main thread only");
  const options: SpawnOptions = { cwd: data, detached: true, stdio: ["ignore", "pipe", "pipe"], env: environment() };
  if (process.platform !== "linux") return spawn(program, args, options);
  const setpriv = SETPRIV.find((path) => existsSync(path));
  if (setpriv === undefined) {
    throw new StoreError(
      "setpriv, which starts PostgreSQL, is missing; install the package util-linux (Alpine: setpriv)",
    );
  }
  const identity = user.isOther ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"] : [];
  const privileges = ["--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs", `--pdeathsig=${lastSignal}`];
  const command = [setpriv, ...identity, ...privileges, "--", program, ...args];
  const [file = "", ...rest] = firstClosed(data, user) === undefined ? command : shownElsewhere(data, command);
  return spawn(file, rest, options);
}

/** The command in a mount namespace where the data folder is also at a place that everybody can enter. */
function shownElsewhere(data: string, command: readonly string[]): string[] {
  const place = MOUNT_POINTS.find((path) => existsSync(path));
  if (place === undefined) throw new StoreError(`none of ${MOUNT_POINTS.join(", ")} is there to show ${data} at`);
  const moved = command.map((part) => part.replace(data, place));
  const script = 'mount --bind "$1" "$2" && cd "$2" && shift 2 && exec "$@"';
  return ["unshare", "--mount", "--", "sh", "-c", script, "sh", data, place, ...moved];
}

/** Nothing of ours that PostgreSQL would act on (PGDATA, PGPORT, LC_ALL, …). */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}
