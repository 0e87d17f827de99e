// SPDX-License-Identifier: Apache-2.0

import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readlinkSync,
  readSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { ClosedError, NotSupportedError } from "@skep/ebpf";
import { mountedTracefs, mountTracefs } from "./tracepoint-id.ts";

const CHUNK = 1 << 16;
/** The inode of the first namespace of pids, whose numbers tracefs has (PROC_PID_INIT_INO). */
const FIRST_PID_NAMESPACE = "pid:[4026531836]";

/**
 * What programs write by `bpf_printk` while this thread runs them, in a buffer of its own (an instance of tracefs): nothing is
 * taken from those who read the trace log. In a pid namespace, where tracefs knows this thread by a number that it does not know
 * itself, what all programs of the machine write. Closing removes the instance.
 */
export class TraceInstance implements Disposable {
  readonly #resources: DisposableStack;
  readonly #fd: number;
  readonly #chunk: Buffer = Buffer.alloc(CHUNK);
  #closed = false;

  /** Throws NotSupportedError without tracefs, or before Linux 5.9, and errors of `node:fs` when it may not be used. */
  constructor() {
    using unwind = new DisposableStack();
    const feature = "reading what programs print";
    const mount = mountedTracefs() === undefined ? unwind.use(mountTracefs(feature)) : undefined;
    const root = mountedTracefs() ?? `/proc/self/fd/${mount?.number}`;
    const event = "events/bpf_trace/bpf_trace_printk";
    if (!existsSync(`${root}/${event}`)) throw new NotSupportedError(feature, "5.9");
    // The kernel creates it with all its files in one step, and refuses a name that is taken.
    const instance = `${root}/instances/skep-${process.pid}-${performance.now().toString(36)}`;
    mkdirSync(instance);
    unwind.defer(() => rmdirSync(instance));
    if (readlinkSync("/proc/self/ns/pid") === FIRST_PID_NAMESPACE) {
      const thread = readlinkSync("/proc/thread-self").split("/").at(-1);
      writeFileSync(`${instance}/${event}/filter`, `common_pid == ${thread}`);
    }
    writeFileSync(`${instance}/${event}/enable`, "1");
    const fd = openSync(`${instance}/trace_pipe`, constants.O_RDONLY | constants.O_NONBLOCK);
    unwind.defer(() => closeSync(fd));
    this.#fd = fd;
    this.#resources = unwind.move();
  }

  /** The lines of the log since the last call, in the form of `traceLog`. Throws ClosedError. */
  lines(): string[] {
    if (this.#closed) throw new ClosedError("the trace instance");
    const decoder = new TextDecoder();
    let text = "";
    for (let length = this.#readNow(); length > 0; length = this.#readNow()) {
      text += decoder.decode(this.#chunk.subarray(0, length), { stream: true });
    }
    return text === "" ? [] : text.replace(/\n$/, "").split("\n");
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#resources.dispose();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** 0 when there is nothing to read now. */
  #readNow(): number {
    for (;;) {
      try {
        return readSync(this.#fd, this.#chunk);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "EAGAIN") return 0;
        if (code !== "EINTR") throw error;
      }
    }
  }
}
