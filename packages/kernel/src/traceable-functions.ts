// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { NotSupportedError } from "@skep/ebpf";
import { mountedTracefs, mountTracefs } from "./tracepoint-id.ts";

const file = "available_filter_functions";

/**
 * Names of the kernel functions that ftrace can trace, those of modules included, each once. Throws
 * NotSupportedError when the kernel has no function tracer (CONFIG_FUNCTION_TRACER) or does not let its list be
 * read (lockdown).
 */
export function traceableFunctions(): string[] {
  const directory = mountedTracefs();
  if (directory !== undefined) return namesIn(read(directory));
  using mount = mountTracefs("a list of traceable functions");
  return namesIn(read(`/proc/self/fd/${mount.number}`));
}

function read(directory: string): string {
  try {
    return readFileSync(`${directory}/${file}`, "latin1");
  } catch (cause) {
    // EPERM is what a locked-down kernel says to root, too.
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "EPERM") throw cause;
    throw new NotSupportedError("choosing kernel functions by a pattern", undefined, {
      cause,
    });
  }
}

/** A line is `name` or `name [module]`; a name that occurs twice cannot be attached to by name. */
function namesIn(text: string): string[] {
  const seen = new Map<string, number>();
  for (const line of text.split("\n")) {
    const name = line.split(/[ \t]/, 1)[0] ?? "";
    if (name !== "" && !name.startsWith("__ftrace_invalid_address___")) seen.set(name, (seen.get(name) ?? 0) + 1);
  }
  return [...seen].filter(([, times]) => times === 1).map(([name]) => name);
}
