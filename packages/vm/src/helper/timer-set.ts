// SPDX-License-Identifier: Apache-2.0

import type { VmMap } from "../map/vm-map.ts";
import type { VmMemory } from "../memory/vm-memory.ts";
import { accessFault, VmFault } from "../vm-fault.ts";
import { Errno } from "./errno.ts";
import type { RuntimeCalls } from "./runtime-calls.ts";
import type { VmClock } from "./time-helpers.ts";
import { elementOf } from "./timer-element.ts";

/** Bytes of `struct bpf_timer`. The first word is the timer's number here; 0 before `bpf_timer_init`. */
const TIMER_BYTES = 16;
const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const CLOCK_BOOTTIME = 7;
const TIMER_ABSOLUTE = 1;
/** BPF_F_TIMER_ABS and BPF_F_TIMER_CPU_PIN; a worker's timers stay on it anyway. */
const KNOWN_FLAGS = 3;
const LOOKUP = 1;
/** The longest delay of setTimeout, in milliseconds; longer ones are waited for piece by piece. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Timers before it is worth the while to look for those that are gone. */
const FIRST_SWEEP = 1024;

/** Called with the map, the key and the value's address. */
type TimerCallback = (map: number, key: number, value: number) => number;

interface Timer {
  readonly address: number;
  readonly map: VmMap;
  readonly clock: number;
  callback: TimerCallback | undefined;
  /** Of the platform; undefined when it is not armed. */
  handle: ReturnType<typeof setTimeout> | undefined;
}

/** What timers need of their engine. */
export interface TimerHost {
  readonly memory: VmMemory;
  readonly clock: VmClock;
  readonly calls: RuntimeCalls;
  /** Told what a callback threw: nobody waits for it. */
  readonly failed: (error: unknown) => void;
}

/**
 * The timers (`struct bpf_timer` in values of maps) of one worker, on the platform's own. A callback runs when the worker is
 * idle, as a run of its own, as late as the platform likes and a millisecond at least; when its element has left the map
 * meanwhile it does not, as if that had cancelled it. A timer does not keep a process alive.
 */
export class TimerSet implements Disposable {
  readonly #host: TimerHost;
  readonly #timers = new Map<number, Timer>();
  /** Where the index lies that a callback of an array is called with. */
  readonly #index: number;
  #last = 0;
  #sweepAt = FIRST_SWEEP;
  #running: Timer | undefined;

  constructor(host: TimerHost) {
    this.#host = host;
    this.#index = host.memory.allocate(8);
    host.memory.setRegion(this.#index, 4, "read");
  }

  /** `bpf_timer_init`. -EINVAL for an unknown clock, -EBUSY for a timer that is there. */
  init(address: number, map: VmMap, flags: number): number {
    this.#check(address);
    if (flags !== CLOCK_REALTIME && flags !== CLOCK_MONOTONIC && flags !== CLOCK_BOOTTIME) return -Errno.EINVAL;
    if (this.#at(address) !== undefined) return -Errno.EBUSY;
    const { memory } = this.#host;
    if (elementOf(memory, map, address) === undefined) {
      throw new VmFault("helper", `a timer at 0x${address.toString(16)}, which is in no value of its map`, { address });
    }
    this.#sweep();
    const id = ++this.#last;
    memory.view.setUint32(memory.index(address), id, true);
    this.#timers.set(id, { address, map, clock: flags, callback: undefined, handle: undefined });
    return 0;
  }

  /** `bpf_timer_set_callback`. */
  setCallback(address: number, callback: TimerCallback): number {
    this.#check(address);
    const timer = this.#at(address);
    if (timer === undefined) return -Errno.EINVAL;
    timer.callback = callback;
    return 0;
  }

  /** `bpf_timer_start`: once, `nanoseconds` from now or at that moment of the timer's clock. */
  start(address: number, nanoseconds: number, flags: number): number {
    this.#check(address);
    if (flags > KNOWN_FLAGS) return -Errno.EINVAL;
    const timer = this.#at(address);
    if (timer?.callback === undefined) return -Errno.EINVAL;
    const { clock } = this.#host;
    const now = clock.now();
    const absolute = (flags & TIMER_ABSOLUTE) !== 0;
    const begin = !absolute ? now : timer.clock === CLOCK_REALTIME ? -Number(clock.offset) : 0;
    this.#disarm(timer);
    this.#arm(timer, begin + nanoseconds);
    return 0;
  }

  /** `bpf_timer_cancel`: 1 when it was armed, 0 when not; its callback is forgotten. -EDEADLK within its own callback. */
  cancel(address: number): number {
    this.#check(address);
    const timer = this.#at(address);
    if (timer === undefined) return -Errno.EINVAL;
    if (timer === this.#running) return -Errno.EDEADLK;
    timer.callback = undefined;
    return this.#disarm(timer) ? 1 : 0;
  }

  /** Forgets the timers of a map that is closed. */
  drop(map: VmMap): void {
    for (const [id, timer] of this.#timers) {
      if (timer.map === map) this.#forget(id, timer);
    }
  }

  /** Cancels all. */
  close(): void {
    for (const [id, timer] of this.#timers) this.#forget(id, timer);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #check(address: number): void {
    const { memory } = this.#host;
    if (!memory.mayAccess(address, TIMER_BYTES, "write")) throw accessFault(memory, "write", address, TIMER_BYTES);
    if (address % 8 !== 0) {
      throw new VmFault("alignment", `a timer at 0x${address.toString(16)}, which is no multiple of 8`, { address });
    }
  }

  /** The timer that lies there; undefined before its initialisation and when the value was overwritten since. */
  #at(address: number): Timer | undefined {
    const { memory } = this.#host;
    const timer = this.#timers.get(memory.view.getUint32(memory.index(address), true));
    return timer?.address === address ? timer : undefined;
  }

  #arm(timer: Timer, due: number): void {
    const delay = Math.max(0, Math.ceil((due - this.#host.clock.now()) / 1e6));
    const handle = setTimeout(
      () => (delay > LONGEST_DELAY ? this.#arm(timer, due) : this.#fire(timer)),
      Math.min(delay, LONGEST_DELAY),
    );
    // Node's keeps the process alive unless told; a browser's is a number.
    (handle as { unref?: () => void }).unref?.();
    timer.handle = handle;
  }

  #disarm(timer: Timer): boolean {
    if (timer.handle === undefined) return false;
    clearTimeout(timer.handle);
    timer.handle = undefined;
    return true;
  }

  #fire(timer: Timer): void {
    timer.handle = undefined;
    const { memory, failed } = this.#host;
    const element = this.#alive(timer);
    if (element === undefined || timer.callback === undefined) return;
    if (element.index !== undefined) memory.view.setUint32(memory.index(this.#index), element.index, true);
    this.#running = timer;
    try {
      timer.callback(timer.map.address, element.index === undefined ? element.key : this.#index, element.value);
    } catch (error) {
      failed(error);
    } finally {
      this.#running = undefined;
    }
  }

  /** The element that a timer is in, when the map still has it. */
  #alive(timer: Timer): ReturnType<typeof elementOf> {
    if (this.#at(timer.address) !== timer) return undefined;
    const element = elementOf(this.#host.memory, timer.map, timer.address);
    if (element === undefined || element.index !== undefined) return element;
    return this.#host.calls.map(timer.map, LOOKUP, element.key) === element.value ? element : undefined;
  }

  /** Forgets timers that were overwritten, or whose elements have gone. */
  #sweep(): void {
    if (this.#timers.size < this.#sweepAt) return;
    for (const [id, timer] of this.#timers) if (this.#alive(timer) === undefined) this.#forget(id, timer);
    this.#sweepAt = Math.max(FIRST_SWEEP, this.#timers.size * 2);
  }

  #forget(id: number, timer: Timer): void {
    this.#disarm(timer);
    this.#timers.delete(id);
  }
}
