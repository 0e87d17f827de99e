// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StoreError } from "../errors.ts";
import { isRunning } from "./folder-lock.ts";

/** How long the server of a process that was killed may take to end by itself, and then when told to. */
const STALE_TIMEOUT = 2_000;

/** The last line but one of `postmaster.pid` that PostgreSQL writes: `ready` once it takes connections. */
export function isReady(cluster: string, pid: number | undefined): boolean {
  const lines = readPidFile(cluster);
  return lines[0] === String(pid) && lines[7]?.trim() === "ready";
}

function readPidFile(cluster: string): string[] {
  try {
    return readFileSync(join(cluster, "postmaster.pid"), "utf8").split("\n");
  } catch {
    // There is none: no server, or not yet.
    return [];
  }
}

/**
 * Waits for the server of an owner that was killed, which is still shutting down, and stops it if it does not. We
 * hold the folder's lock, so no other owner can have started it.
 */
export async function endStaleServer(data: string): Promise<void> {
  const pid = findServer(data);
  if (pid === undefined) return;
  for (const signal of [undefined, "SIGQUIT", "SIGKILL"] as const) {
    if (signal !== undefined && isServerOf(data, pid)) process.kill(pid, signal);
    const deadline = Date.now() + STALE_TIMEOUT;
    while (isServerOf(data, pid)) {
      if (Date.now() > deadline) break;
      await sleep(10);
    }
    if (!isServerOf(data, pid)) return;
  }
  throw new StoreError(`PostgreSQL, process ${pid}, still runs in ${data} and cannot be stopped`);
}

/** The process id of the server that runs in a data folder. */
export function findServer(data: string): number | undefined {
  const pid = Number(readPidFile(join(data, "pg"))[0]);
  return Number.isInteger(pid) && pid > 0 && isServerOf(data, pid) ? pid : undefined;
}

/** Whether a process runs the programs that lie in the data folder; the number may have passed to another since. */
function isServerOf(data: string, pid: number): boolean {
  if (!isRunning(pid)) return false;
  if (process.platform !== "linux") return true;
  try {
    // By the file, not by its path: the server may see the folder at another place.
    const { dev, ino } = statSync(`/proc/${pid}/exe`);
    const programs = readdirSync(data).filter((name) => name.startsWith("postgres-"));
    return programs.some((name) => {
      const program = statSync(join(data, name, "bin/postgres"), { throwIfNoEntry: false });
      return program?.dev === dev && program.ino === ino;
    });
  } catch {
    // It ended, or it belongs to a user whose processes we cannot look into, and so not to us.
    return false;
  }
}
