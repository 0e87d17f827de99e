// SPDX-License-Identifier: Apache-2.0

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { InvalidValueError, type LoadedProgram } from "@skep/ebpf";
import type { VmRunOptions, VmRunResult } from "../run/run-options.ts";
import type { VmProgram } from "../vm-program.ts";
import type { OpenCounters, ProgramStream, StreamOptions } from "./program-stream.ts";
import { streamOfRuns } from "./run-each.ts";

/** How messages of a channel are run. */
export interface ChannelStreamOptions extends StreamOptions {
  /** Messages that wait to be run at most; 1024 unless given. What comes while there are so many is dropped. */
  readonly waiting?: number;
}

const WAITING = 1024;

/**
 * Runs a program on each message of a channel of `node:diagnostics_channel`, from the first `next` on. `input` makes the input of
 * a run of a message while it is published, so that it can be changed afterwards; undefined leaves it out, uncounted. What `input`
 * throws ends the stream, and is kept from the publisher. Throws InvalidValueError for programs of other engines.
 *
 * ```ts
 * for await (const { returned } of runOnChannel(program, "undici:request:create", ({ request }) => ({ context: encode(request) })))
 * ```
 */
export function runOnChannel(
  program: LoadedProgram | VmProgram,
  channel: string | symbol,
  input: (message: unknown, channel: string | symbol) => VmRunOptions | undefined,
  options: ChannelStreamOptions = {},
): ProgramStream<VmRunResult> {
  const { waiting = WAITING } = options;
  if (!Number.isInteger(waiting) || waiting < 1) {
    throw new InvalidValueError(`waiting is ${waiting}, wanted is 1 or more`);
  }
  return streamOfRuns(program, (counters) => new ChannelMessages(channel, input, waiting, counters), options);
}

/** Messages that wait, and whoever waits for one. */
class ChannelMessages implements AsyncIterableIterator<VmRunOptions> {
  readonly #channel: string | symbol;
  readonly #receive: (message: unknown, name: string | symbol) => void;
  #queue: VmRunOptions[] = [];
  /** Where the queue begins: what is before was taken. */
  #first = 0;
  #failure: { readonly error: unknown } | undefined;
  #waiter: PromiseWithResolvers<IteratorResult<VmRunOptions, undefined>> | undefined;
  #ended = false;

  constructor(
    channel: string | symbol,
    input: (message: unknown, channel: string | symbol) => VmRunOptions | undefined,
    waiting: number,
    counters: OpenCounters,
  ) {
    this.#channel = channel;
    this.#receive = (message, name) => {
      try {
        const item = input(message, name);
        if (item === undefined) return;
        if (this.#queue.length - this.#first >= waiting) counters.dropped++;
        else this.#give(item);
      } catch (error) {
        this.#fail(error);
      }
    };
    subscribe(channel, this.#receive);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<VmRunOptions, undefined>> {
    const value = this.#queue[this.#first];
    if (value !== undefined) {
      this.#first++;
      if (this.#first === this.#queue.length) {
        this.#queue = [];
        this.#first = 0;
      }
      return Promise.resolve({ done: false, value });
    }
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    this.#waiter = Promise.withResolvers();
    return this.#waiter.promise;
  }

  return(): Promise<IteratorResult<VmRunOptions, undefined>> {
    this.#end();
    this.#queue = [];
    this.#first = 0;
    this.#waiter?.resolve({ done: true, value: undefined });
    this.#waiter = undefined;
    return Promise.resolve({ done: true, value: undefined });
  }

  #give(value: VmRunOptions): void {
    if (this.#waiter === undefined) {
      this.#queue.push(value);
    } else {
      this.#waiter.resolve({ done: false, value });
      this.#waiter = undefined;
    }
  }

  #fail(error: unknown): void {
    this.#end();
    if (this.#waiter === undefined) this.#failure = { error };
    else this.#waiter.reject(error);
    this.#waiter = undefined;
  }

  #end(): void {
    this.#ended = true;
    unsubscribe(this.#channel, this.#receive);
  }
}
