// SPDX-License-Identifier: Apache-2.0

import { ClosedError } from "./closed-error.ts";
import { Epoll } from "./epoll.ts";
import { EventDescriptor } from "./event-descriptor.ts";
import type { ffi, PollHandle } from "./ffi.ts";

/** Tells when a descriptor has input. Its owner disarms it as soon as nobody waits. */
export interface ReadinessSource {
  /** From now on `onReady` is called when there is input, and the process is kept alive. */
  arm(): void;
  /** The process is no longer kept alive; `onReady` may still be called. */
  disarm(): void;
  /** After this returns the descriptor may be closed. */
  close(): void;
}

/** Called when there is input, or with the error that ended the watch. */
export type OnReady = (error?: unknown) => void;

/**
 * Watches by uv_poll: 9 microseconds from the kernel's wake-up to JavaScript.
 *
 * A level-triggered descriptor is watched only while armed, or it would call back on every turn of the loop. One
 * whose poll() forgets what it has told (perf events) is watched all the time: each new registration with
 * epoll would swallow a wake-up.
 */
export class UvPollSource implements ReadinessSource {
  readonly #onReady: OnReady;
  readonly #handle: PollHandle;
  readonly #edge: boolean;
  #closed = false;

  constructor(fd: number, edge: boolean, onReady: OnReady, poll: NonNullable<ReturnType<typeof ffi>["poll"]>) {
    this.#edge = edge;
    // Without its arguments: a status below 0 shows as readable, and the owner's read meets the error.
    this.#onReady = () => onReady();
    this.#handle = poll(fd, this.#onReady);
    this.disarm();
  }

  arm(): void {
    this.#checkOpen();
    if (this.#edge) this.#handle.ref();
    else this.#handle.start({ readable: true }, this.#onReady);
  }

  disarm(): void {
    this.#checkOpen();
    if (this.#edge) this.#handle.unref();
    else this.#handle.stop();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handle.close();
  }

  /** The handle's memory is libuv's again. */
  #checkOpen(): void {
    if (this.#closed) throw new ClosedError("watch of a descriptor");
  }
}

/**
 * Watches by epoll_pwait on libuv's thread pool, 30 microseconds and one pool thread: for a foreign-function
 * library without uv_poll.
 */
export class ThreadSource implements ReadinessSource {
  readonly #fd: number;
  readonly #onReady: OnReady;
  readonly #epoll = new Epoll();
  readonly #interrupt = new EventDescriptor();
  #armed = false;
  #waiting = false;
  #closed = false;

  constructor(fd: number, onReady: OnReady) {
    this.#fd = fd;
    this.#onReady = onReady;
    this.#epoll.add(fd);
    this.#epoll.add(this.#interrupt.number);
  }

  arm(): void {
    this.#checkOpen();
    this.#armed = true;
    if (!this.#waiting) void this.#watch();
  }

  disarm(): void {
    this.#checkOpen();
    this.#armed = false;
    if (this.#waiting) this.#interrupt.signal();
  }

  close(): void {
    if (this.#closed) return;
    this.disarm();
    this.#closed = true;
    if (!this.#waiting) this.#release();
  }

  async #watch(): Promise<void> {
    this.#waiting = true;
    try {
      while (this.#armed) {
        const ready = await this.#epoll.waitOnThread();
        this.#interrupt.take();
        if (ready.includes(this.#fd)) this.#onReady();
      }
    } catch (error) {
      this.#onReady(error);
    } finally {
      this.#waiting = false;
      // The thread used both until now, so a close() meanwhile left them to us.
      if (this.#closed) this.#release();
    }
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError("watch of a descriptor");
  }

  #release(): void {
    this.#epoll.close();
    this.#interrupt.close();
  }
}
