// SPDX-License-Identifier: Apache-2.0

import { MapType } from "@skep/ebpf";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MapWord } from "../map/map-header.ts";
import type { VmMap } from "../map/vm-map.ts";
import { TestFrame } from "./helper.test-kit.ts";
import { TimerSet } from "./timer-set.ts";

const HASH_HEADER = 8;
const MILLISECOND = 1e6;
const calls: (readonly number[])[] = [];
const errors: unknown[] = [];
let frame: TestFrame;
let timers: TimerSet;
/** What the map's lookup finds. */
let found = 0;
let elapsed = 0;

/** A map whose elements, 4 of 32 bytes of value with a timer first, lie in the page. */
function makeMap(type: number, elements: number): VmMap {
  const address = frame.memory.allocate(128);
  const words = new Uint32Array(frame.memory.wasm.buffer, frame.memory.index(address), 32);
  words[MapWord.KEY_SIZE] = 4;
  words[MapWord.MAX_ENTRIES] = 4;
  words[MapWord.STRIDE] = 32;
  words[MapWord.ELEMENTS] = elements;
  words[MapWord.ELEMENT_SIZE] = type === MapType.ARRAY ? 32 : HASH_HEADER + 8 + 32;
  return { address, spec: { type } } as unknown as VmMap;
}

function callback(map: number, key: number, value: number): number {
  calls.push([map, frame.memory.view.getUint32(frame.memory.index(key), true), value]);
  return 0;
}

function pass(milliseconds: number): void {
  elapsed += milliseconds * MILLISECOND;
  vi.advanceTimersByTime(milliseconds);
}

beforeEach(() => {
  vi.useFakeTimers();
  frame = new TestFrame();
  elapsed = 0;
  timers = new TimerSet({
    memory: frame.memory,
    clock: { now: () => elapsed, offset: 1_000_000_000n },
    calls: { map: () => found, helper: () => 0 },
    failed: (error) => errors.push(error),
  });
});

afterEach(() => {
  timers.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  calls.length = 0;
  errors.length = 0;
});

describe("timers in an array", () => {
  let map: VmMap;
  let timer: number;

  beforeEach(() => {
    map = makeMap(MapType.ARRAY, frame.page);
    timer = frame.page + 2 * 32;
  });

  test("call back once, with the map, the index and the value", () => {
    expect(timers.init(timer, map, 1)).toBe(0);
    expect(timers.setCallback(timer, callback)).toBe(0);
    expect(timers.start(timer, 5 * MILLISECOND, 0)).toBe(0);
    pass(4);
    expect(calls).toEqual([]);
    pass(100);
    expect(calls).toEqual([[map.address, 2, timer]]);
    expect(timers.cancel(timer)).toBe(0);
  });

  test("refuse as the kernel's do", () => {
    const EINVAL = -22;
    expect(timers.setCallback(timer, callback)).toBe(EINVAL);
    expect(timers.start(timer, 1, 0)).toBe(EINVAL);
    expect(timers.cancel(timer)).toBe(EINVAL);
    for (const clock of [2, 3, 16, 2 ** 32]) expect(timers.init(timer, map, clock)).toBe(EINVAL);
    expect(timers.init(timer, map, 0)).toBe(0);
    expect(timers.init(timer, map, 0)).toBe(-16);
    expect(timers.start(timer, 1, 0)).toBe(EINVAL);
    timers.setCallback(timer, callback);
    expect(timers.start(timer, 1, 4)).toBe(EINVAL);
    expect(() => timers.init(timer + 4, map, 0)).toThrow("no multiple of 8");
    expect(() => timers.init(0, map, 0)).toThrow("where there is no memory");
    expect(() => timers.init(frame.page + 4 * 32, map, 0)).toThrow("in no value of its map");
  });

  test("are started anew and cancelled", () => {
    timers.init(timer, map, 1);
    timers.setCallback(timer, callback);
    timers.start(timer, 5 * MILLISECOND, 0);
    timers.start(timer, 20 * MILLISECOND, 0);
    pass(10);
    expect(timers.cancel(timer)).toBe(1);
    pass(100);
    expect(calls).toEqual([]);
    expect(timers.start(timer, 1, 0)).toBe(-22);
  });

  test("know absolute times of their clock", () => {
    pass(500);
    for (const [clock, moment] of [
      [1, 505 * MILLISECOND],
      [0, 1505 * MILLISECOND],
    ] as const) {
      const at = timer + (clock === 0 ? 32 : 0);
      timers.init(at, map, clock);
      timers.setCallback(at, callback);
      timers.start(at, moment, 1);
    }
    pass(4);
    expect(calls).toEqual([]);
    pass(1);
    expect(calls).toHaveLength(2);
  });

  test("wait longer than setTimeout can", () => {
    timers.init(timer, map, 1);
    timers.setCallback(timer, callback);
    timers.start(timer, 2 ** 32 * MILLISECOND, 0);
    pass(2 ** 31);
    expect(calls).toEqual([]);
    for (let i = 0; i < 3; i++) pass(2 ** 30);
    expect(calls).toHaveLength(1);
  });

  test("start themselves again, but do not cancel themselves", () => {
    timers.init(timer, map, 1);
    const results: number[] = [];
    timers.setCallback(timer, () => {
      results.push(timers.cancel(timer), results.length < 4 ? timers.start(timer, MILLISECOND, 0) : 1);
      return 0;
    });
    timers.start(timer, MILLISECOND, 0);
    for (let i = 0; i < 10; i++) pass(1);
    expect(results).toEqual([-35, 0, -35, 0, -35, 1]);
  });

  test("tell what their callbacks throw", () => {
    timers.init(timer, map, 1);
    const error = new Error("callback");
    timers.setCallback(timer, () => {
      throw error;
    });
    timers.start(timer, 0, 0);
    pass(1);
    expect(errors).toEqual([error]);
    expect(timers.cancel(timer)).toBe(0);
  });

  test("end with their value or their map", () => {
    const begin = () => {
      expect(timers.init(timer, map, 1)).toBe(0);
      timers.setCallback(timer, callback);
      timers.start(timer, MILLISECOND, 0);
    };
    begin();
    frame.memory.slice(timer, 16).fill(0);
    pass(2);
    begin();
    timers.drop(map);
    pass(2);
    expect(calls).toEqual([]);
  });
});

describe("timers in a hash map", () => {
  test("call back with the key, while the map has the element", () => {
    const map = makeMap(MapType.HASH, frame.page);
    const value = frame.page + 48 + HASH_HEADER + 8;
    frame.memory.view.setUint32(frame.memory.index(value - 8), 77, true);
    timers.init(value, map, 1);
    timers.setCallback(value, callback);
    found = value;
    timers.start(value, MILLISECOND, 0);
    pass(1);
    expect(calls.splice(0)).toEqual([[map.address, 77, value]]);
    timers.start(value, MILLISECOND, 0);
    found = 0;
    pass(1);
    expect(calls).toEqual([]);
    expect(() => timers.init(value - 8, map, 1)).toThrow("in no value of its map");
  });
});
