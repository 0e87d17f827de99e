// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from "node:crypto";
import { constants, openSync, readFileSync } from "node:fs";
import { InvalidValueError, NotSupportedError } from "@skep/ebpf";
import { addressOf, FileDescriptor, isSystemCallError, openPerfEvent, PerfType, systemCall } from "@skep/linux";
import { mountedTracefs, mountTracefs } from "./tracepoint-id.ts";

/** A probe to make an event of tracefs for. */
export interface TracefsProbeOptions {
  readonly kind: "kprobe" | "uprobe";
  readonly atReturn: boolean;
  /** As in the file's lines: `tcp_connect+0x10`, `/bin/bash:0x1234`. */
  readonly place: string;
  /** Calls that may run at once before returns are missed (kprobes, 4.12). */
  readonly maxActive?: number;
  /** Process; every process when absent. */
  readonly pid?: number;
  /** CPU to name when every process is meant. */
  readonly cpu: number;
  readonly object: string;
}

/** The group of our events: what is left of a process that was killed is found under it. */
const GROUP = "skep";

/**
 * Makes a probe an event by a line in tracefs' `kprobe_events` or `uprobe_events`, and opens it as a perf event: the
 * way of kernels that do not open probes directly (before 4.17). Event and descriptors are among `resources`. The
 * event's name begins with this process's number, `skep/p1234_…`: only a process that is killed leaves one behind.
 * Throws NotSupportedError when the kernel has no such probes.
 */
export function openTracefsProbe(options: TracefsProbeOptions, resources: DisposableStack): FileDescriptor {
  const { kind, atReturn, place, maxActive, pid, cpu, object } = options;
  // Either would end the place, or begin another line.
  if (/[\s#]/.test(place)) {
    throw new InvalidValueError(`${object}: tracefs takes neither white space nor #, as in "${place}"`);
  }
  const mounted = mountedTracefs();
  using mount = mounted === undefined ? mountTracefs(object) : undefined;
  const directory = mounted ?? `/proc/self/fd/${mount?.number}`;
  // Kept open for the removal: a mount of this process alone is gone by then.
  const events = resources.use(openEvents(`${directory}/${kind}_events`, object));
  const name = `p${process.pid}_${randomBytes(8).toString("hex")}`;
  write(events, `${atReturn ? `r${maxActive ?? ""}` : "p"}:${GROUP}/${name} ${place}\n`, object);
  resources.defer(() => {
    try {
      write(events, `-:${GROUP}/${name}\n`, object);
    } catch (error) {
      // A pin holds the link, and the link the event, which stays.
      if (!isSystemCallError(error, "EBUSY")) throw error;
    }
  });
  const config = Number.parseInt(readFileSync(`${directory}/events/${GROUP}/${name}/id`, "latin1"), 10);
  const target = pid === undefined ? { cpu } : { pid };
  return resources.use(openPerfEvent({ type: PerfType.TRACEPOINT, config, ...target, object }));
}

/** Opened to append: to open it otherwise would remove everybody's events. */
function openEvents(path: string, object: string): FileDescriptor {
  try {
    return new FileDescriptor(openSync(path, constants.O_WRONLY | constants.O_APPEND));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    throw new NotSupportedError(object, undefined, { cause });
  }
}

function write(events: FileDescriptor, line: string, object: string): void {
  const bytes = Buffer.from(line, "utf8");
  systemCall("write", `${object}, "${line.trim()}"`, events.number, addressOf(bytes), bytes.length);
}
