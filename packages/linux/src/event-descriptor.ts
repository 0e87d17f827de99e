// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer } from "./attr-buffer.ts";
import { FileDescriptor } from "./file-descriptor.ts";
import { systemCall } from "./system-call.ts";
import { isSystemCallError } from "./system-call-error.ts";

const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;

/** A counter to wait for (eventfd(2)): readable while it is not 0. Never blocks, closed on exec. Throws ClosedError. */
export class EventDescriptor extends FileDescriptor {
  readonly #value = new AttrBuffer(8);

  constructor() {
    super(systemCall("eventfd2", "eventfd", 0, EFD_CLOEXEC | EFD_NONBLOCK));
  }

  /** Adds one, which wakes whoever waits. */
  signal(): void {
    this.#value.u64(0, 1);
    systemCall("write", "eventfd", this.open("eventfd"), this.#value.address, 8);
  }

  /** Takes the count and sets it to 0; returns 0n when it was 0 already. */
  take(): bigint {
    try {
      systemCall("read", "eventfd", this.open("eventfd"), this.#value.address, 8);
      return this.#value.getBigint(0);
    } catch (error) {
      if (isSystemCallError(error, "EAGAIN")) return 0n;
      throw error;
    }
  }
}
