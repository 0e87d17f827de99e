// SPDX-License-Identifier: Apache-2.0

/** How a recording is played. */
export interface PlaybackOptions {
  /** How many times faster than it was recorded; 1 unless given. */
  readonly speed?: number;
  /** Play it again and again, with this pause between; once unless given. */
  readonly loop?: { readonly pauseSeconds: number };
}

/** Something that reads frames along the timeline. */
export interface TimelineReader {
  /** Whether all of this loop's frames were taken and done with. */
  readonly finished: boolean;
  /** The next loop begins: all frames are to be taken again. */
  rewind(): void;
}

/** Something that counts along the timeline. */
export interface TimelineCounter {
  /** A loop ends `position` milliseconds in: what it counted so far stays, the next begins at 0. */
  carry(position: number): void;
}

/** The longest time that setTimeout takes. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/**
 * The clock that all streams of a recording share. It starts when the first reader opens and stops when the last
 * one closes. A loop ends when its time has passed and every open reader has taken all of its frames, so that a
 * slow reader still gets its rows with their times.
 */
export class Timeline {
  readonly #start: bigint;
  readonly #length: number;
  readonly #speed: number;
  readonly #pause: number | undefined;
  readonly #readers = new Set<TimelineReader>();
  readonly #counters = new Set<TimelineCounter>();
  /** Wall clock at which this loop began, in milliseconds since 1970. */
  #startedAt: number | undefined;
  #offset: bigint | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `start` is the recorded clock that a loop begins at, `length` its recorded milliseconds. */
  constructor(start: bigint, length: number, options: PlaybackOptions) {
    this.#start = start;
    this.#length = length;
    this.#speed = options.speed ?? 1;
    this.#pause = options.loop === undefined ? undefined : options.loop.pauseSeconds * 1000;
  }

  /** Recorded milliseconds that passed in this loop; below every frame's while no reader is open. */
  get position(): number {
    return this.#startedAt === undefined ? Number.NEGATIVE_INFINITY : (wallClock() - this.#startedAt) * this.#speed;
  }

  /** Nanoseconds to add to recorded clocks so that this loop happened when it was played. */
  get offset(): bigint {
    return this.#offset ?? offsetAt(wallClock(), this.#start);
  }

  /** Milliseconds from now until a position is reached, within what a timer takes. */
  delayUntil(position: number): number {
    return Math.min(Math.max(0, Math.ceil((position - this.position) / this.#speed)), MAX_TIMEOUT);
  }

  open(reader: TimelineReader): void {
    this.#readers.add(reader);
    if (this.#startedAt === undefined) this.#begin();
  }

  close(reader: TimelineReader): void {
    if (!this.#readers.delete(reader)) return;
    if (this.#readers.size > 0) {
      this.readerFinished();
      return;
    }
    clearTimeout(this.#timer);
    for (const counter of this.#counters) counter.carry(this.position);
    this.#startedAt = undefined;
  }

  addCounter(counter: TimelineCounter): void {
    this.#counters.add(counter);
  }

  removeCounter(counter: TimelineCounter): void {
    this.#counters.delete(counter);
  }

  /** A reader may be the last one that this loop waited for. */
  readerFinished(): void {
    if (this.#pause === undefined || !this.#allFinished()) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#nextLoop(), this.delayUntil(this.#length) + this.#pause);
  }

  #nextLoop(): void {
    // A reader that was opened meanwhile takes this loop's frames first, and then says so.
    if (!this.#allFinished()) return;
    for (const counter of this.#counters) counter.carry(Number.POSITIVE_INFINITY);
    this.#begin();
    for (const reader of this.#readers) reader.rewind();
  }

  #allFinished(): boolean {
    return [...this.#readers].every((reader) => reader.finished);
  }

  #begin(): void {
    this.#startedAt = wallClock();
    this.#offset = offsetAt(this.#startedAt, this.#start);
  }
}

/** Milliseconds since 1970 by a clock that is never adjusted. */
function wallClock(): number {
  return performance.timeOrigin + performance.now();
}

function offsetAt(milliseconds: number, start: bigint): bigint {
  return BigInt(Math.round(milliseconds * 1000)) * 1000n - start;
}
