// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer } from "./attr-buffer.ts";
import { ffi } from "./ffi.ts";
import { FileDescriptor } from "./file-descriptor.ts";
import { systemCall, systemCallNumber } from "./system-call.ts";
import { SystemCallError } from "./system-call-error.ts";

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;
const EINTR = 4;

// struct epoll_event is packed on x86-64 only: the u64 lies at byte 4 there, at byte 8 elsewhere.
const packed = process.arch === "x64";
const dataOffset = packed ? 4 : 8;
const eventSize = packed ? 12 : 16;

/** A set of descriptors to wait for input on (epoll(7)), itself a descriptor that can be waited for. */
export class Epoll extends FileDescriptor {
  readonly #event = new AttrBuffer(16);

  constructor() {
    super(systemCall("epoll_create1", "epoll", EPOLL_CLOEXEC));
  }

  /** Adds a descriptor, level-triggered. The kernel drops it when its last duplicate is closed. Throws ClosedError. */
  add(fd: number): void {
    this.#event.clear().u32(0, EPOLLIN).u64(dataOffset, fd);
    systemCall("epoll_ctl", "epoll", this.open("epoll"), EPOLL_CTL_ADD, fd, this.#event.address);
  }

  /**
   * Waits on libuv's thread pool until a descriptor is readable, and returns those that are (at most 16). The
   * epoll descriptor must stay open until then; wake it through an eventfd that was added.
   */
  async waitOnThread(): Promise<number[]> {
    const events = new AttrBuffer(16 * eventSize);
    const { syscallAsync, errno } = ffi();
    for (;;) {
      const epoll = this.open("epoll");
      const { promise, resolve, reject } = Promise.withResolvers<{ count: number; error: number }>();
      syscallAsync(systemCallNumber("epoll_pwait"), epoll, events.address, 16, -1, 0, 8, (failure, count) => {
        // errno is only right here, before anything else runs on this thread.
        if (failure) reject(failure);
        else resolve({ count, error: count === -1 ? errno() : 0 });
      });
      const { count, error } = await promise;
      if (count >= 0) return Array.from({ length: count }, (_, i) => events.getU32(i * eventSize + dataOffset));
      if (error !== EINTR) throw new SystemCallError({ syscall: "epoll_pwait", errno: error, object: "epoll" });
    }
  }
}
