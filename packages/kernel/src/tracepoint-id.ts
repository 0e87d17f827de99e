// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync } from "node:fs";
import { InvalidValueError, NotSupportedError } from "@skep/ebpf";
import { detachedMount, isSystemCallError } from "@skep/linux";

const mountPoints = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"] as const;

/** Where tracefs is mounted, or undefined. */
export function mountedTracefs(): string | undefined {
  return mountPoints.find((path) => existsSync(`${path}/events`));
}

/**
 * The number of a tracepoint in `category:name` form, which only tracefs tells. Where it is not mounted, a mount
 * of this process alone is made for the moment (Linux 5.2, CAP_SYS_ADMIN). Throws NotSupportedError when neither works, and
 * InvalidValueError when the kernel has no such tracepoint.
 */
export function tracepointId(tracepoint: string): number {
  const [category, name, ...rest] = tracepoint.split(":");
  if (!isName(category) || !isName(name) || rest.length > 0) {
    throw new InvalidValueError(`tracepoint "${tracepoint}" is not of the form category:name`);
  }
  const event = `events/${category}/${name}/id`;
  const directory = mountedTracefs();
  if (directory !== undefined) return readId(directory, event, tracepoint);
  using mount = mountTracefs(`tracepoint "${tracepoint}"`);
  return readId(`/proc/self/fd/${mount.number}`, event, tracepoint);
}

/** Only what occurs in names, so that no path can be smuggled in. */
function isName(part: string | undefined): boolean {
  return part !== undefined && /^[A-Za-z0-9_-]+$/.test(part);
}

/**
 * A mount of tracefs for this process alone. Throws NotSupportedError, which says what `object` is not possible without,
 * when that is not allowed (EPERM), or the kernel has no such mounts (ENOSYS) or no tracefs (ENODEV).
 */
export function mountTracefs(object: string): ReturnType<typeof detachedMount> {
  try {
    return detachedMount("tracefs");
  } catch (error) {
    if (!isSystemCallError(error, "EPERM", "ENOSYS", "ENODEV")) throw error;
    throw new NotSupportedError(
      `${object} without tracefs (\`mount -t tracefs tracefs /sys/kernel/tracing\` gives it)`,
      undefined,
      { cause: error },
    );
  }
}

function readId(directory: string, event: string, tracepoint: string): number {
  let text: string;
  try {
    text = readFileSync(`${directory}/${event}`, "latin1");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT")
      throw new InvalidValueError(`the kernel has no tracepoint "${tracepoint}"`, { cause: error });
    throw error;
  }
  const id = Number.parseInt(text, 10);
  if (Number.isInteger(id)) return id;
  throw new InvalidValueError(`tracepoint "${tracepoint}": its id is "${text.trim()}", a number is wanted`);
}
