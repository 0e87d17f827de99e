// SPDX-License-Identifier: Apache-2.0

import { ClosedError } from "./closed-error.ts";
import { ffi } from "./ffi.ts";
import { FileDescriptor } from "./file-descriptor.ts";
import { type ReadinessSource, ThreadSource, UvPollSource } from "./readiness-source.ts";
import { systemCall } from "./system-call.ts";

const F_DUPFD_CLOEXEC = 1030;

/** How a {@link Poller} waits. */
export interface PollerOptions {
  /**
   * True when the descriptor's poll() reports each wake-up once (perf events, or an epoll set of them) rather than
   * for as long as there is something to read.
   */
  readonly edge?: boolean;
  /** `uv_poll` where there is one, else `thread`; give it to insist. */
  readonly mechanism?: "uv_poll" | "thread";
}

/**
 * Waits until a descriptor has input. It keeps the process alive only while somebody waits. It watches a duplicate of
 * its own, since libuv aborts the process when what it watches is closed, or is watched twice.
 */
export class Poller implements Disposable {
  readonly #source: ReadinessSource;
  readonly #fd: FileDescriptor;
  #ready = false;
  #closed = false;
  #settle: ((readable: boolean, error?: unknown) => void) | undefined;

  constructor(fd: number, options: PollerOptions = {}) {
    const { edge = false, mechanism } = options;
    const poll = mechanism === "thread" ? undefined : ffi().poll;
    if (poll === undefined && mechanism === "uv_poll") throw new Error("the foreign-function library has no uv_poll");
    const onReady = (error?: unknown): void => this.#wake(error);
    this.#fd = new FileDescriptor(systemCall("fcntl", "poller", fd, F_DUPFD_CLOEXEC, 0));
    try {
      const own = this.#fd.number;
      this.#source = poll === undefined ? new ThreadSource(own, onReady) : new UvPollSource(own, edge, onReady, poll);
    } catch (error) {
      this.#fd.close();
      throw error;
    }
    // The loop registers the descriptor only on its next turn, and what came in before that gives no edge: say once,
    // a turn later, that there may be something.
    if (edge) setImmediate(() => setImmediate(() => this.#wake(undefined)).unref()).unref();
  }

  /**
   * Resolves to true when there may be input, to false when the signal aborts or the poller is closed meanwhile. One
   * waiter at a time. It may be early: read, and wait again when there was nothing. Rejects with ClosedError when the
   * poller is closed already.
   */
  wait(signal?: AbortSignal): Promise<boolean> {
    if (this.#settle !== undefined) return Promise.reject(new Error("this poller has a waiter already"));
    if (this.#closed) return Promise.reject(new ClosedError("poller"));
    if (signal?.aborted) return Promise.resolve(false);
    if (this.#ready) {
      this.#ready = false;
      return Promise.resolve(true);
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => this.#settle?.(false);
      this.#settle = (readable, error) => {
        this.#settle = undefined;
        signal?.removeEventListener("abort", onAbort);
        this.#source.disarm();
        if (error === undefined) resolve(readable);
        else reject(error);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#source.arm();
    });
  }

  /** Ends a wait with false. A second call does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#settle?.(false);
    using _ = this.#fd;
    this.#source.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #wake(error: unknown): void {
    if (this.#settle === undefined) this.#ready = true;
    else this.#settle(true, error);
  }
}
