// SPDX-License-Identifier: Apache-2.0

import { closeSync, constants, openSync, readSync } from "node:fs";
import { Poller } from "@skep/linux";
import { mountedTracefs, mountTracefs } from "./tracepoint-id.ts";

const chunkSize = 1 << 16;

/**
 * What programs write by `bpf_printk`, line by line as it comes, until the signal aborts. All programs of the machine
 * share this log, and each line goes to one reader alone. Where tracefs is not mounted, a mount of this process alone is
 * made (5.2, CAP_SYS_ADMIN).
 *
 * Throws NotSupportedError without tracefs. A line is text that other processes chose.
 */
export async function* traceLog(signal?: AbortSignal): AsyncGenerator<string> {
  using mount = mountedTracefs() === undefined ? mountTracefs("the trace log") : undefined;
  const directory = mountedTracefs() ?? `/proc/self/fd/${mount?.number}`;
  const fd = openSync(`${directory}/trace_pipe`, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    using poller = new Poller(fd);
    const chunk = Buffer.alloc(chunkSize);
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const length = readNow(fd, chunk);
      if (length === 0) {
        if (!(await poller.wait(signal))) return;
        continue;
      }
      const lines = (rest + decoder.decode(chunk.subarray(0, length), { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
      if (signal?.aborted) return;
    }
  } finally {
    closeSync(fd);
  }
}

/** 0 when there is nothing to read now. */
function readNow(fd: number, chunk: Buffer): number {
  try {
    return readSync(fd, chunk);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EAGAIN" || code === "EINTR") return 0;
    throw error;
  }
}
