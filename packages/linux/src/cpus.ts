// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";

let possible: readonly number[] | undefined;

/** The CPUs in a list as sysfs writes it: `0-3,8` is 0, 1, 2, 3 and 8. */
export function parseCpuList(text: string): number[] {
  const cpus: number[] = [];
  for (const part of text.trim().split(",")) {
    if (part === "") continue;
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) throw new Error(`"${text.trim()}" is not a list of CPUs`);
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu);
  }
  return cpus;
}

/** CPUs that may ever come online: per-CPU map values have one slot for each. Fixed from boot on. */
export function possibleCpus(): readonly number[] {
  possible ??= parseCpuList(readFileSync("/sys/devices/system/cpu/possible", "latin1"));
  return possible;
}

/** CPUs that are online now. */
export function onlineCpus(): number[] {
  return parseCpuList(readFileSync("/sys/devices/system/cpu/online", "latin1"));
}
