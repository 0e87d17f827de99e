// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dynptrHelpers } from "./dynptr-helpers.ts";
import { TestFrame } from "./helper.test-kit.ts";
import type { Helper } from "./helper.ts";
import type { RuntimeCalls } from "./runtime-calls.ts";

const noCalls: RuntimeCalls = {
  map: () => 0,
  helper: () => 0,
};

describe("dynptrs over memory", () => {
  const frame = new TestFrame();
  const helpers = dynptrHelpers(noCalls);
  const call = (name: string, ...registers: (number | bigint)[]) => frame.invoke(helpers, name, ...registers);

  test("what is written is read, within the bounds and nowhere else", () => {
    fc.assert(
      fc.property(fc.nat(40), fc.nat(50), fc.uint8Array({ maxLength: 50 }), (size, offset, bytes) => {
        frame.reset();
        const data = frame.put(48);
        const dynptr = frame.put(16);
        const source = frame.put(bytes);
        const target = frame.put(bytes.length);
        expect(call("dynptr_from_mem", data, size, 0, dynptr)).toBe(0n);
        const fits = offset + bytes.length <= size;
        expect(call("dynptr_write", dynptr, offset, source, bytes.length, 0)).toBe(fits ? 0n : -7n);
        expect(call("dynptr_read", target, bytes.length, dynptr, offset, 0)).toBe(fits ? 0n : -7n);
        expect(call("dynptr_data", dynptr, offset, bytes.length)).toBe(fits ? BigInt(data + offset) : 0n);
        const wanted = new Uint8Array(48);
        if (fits) wanted.set(bytes, offset);
        expect(frame.bytes(data, 48)).toEqual(wanted);
        if (fits) expect(frame.bytes(target, bytes.length)).toEqual(bytes);
      }),
    );
  });

  test("one that was refused leads nowhere", () => {
    frame.reset();
    const dynptr = frame.put(new Uint8Array(16).fill(9));
    const target = frame.put(8);
    for (const [size, flags, wanted] of [
      [2 ** 24, 0, -7n],
      [8, 1, -22n],
    ] as const) {
      frame.memory.slice(dynptr, 16).fill(9);
      expect(call("dynptr_from_mem", frame.page, size, flags, dynptr)).toBe(wanted);
      expect(frame.bytes(dynptr, 16)).toEqual(new Uint8Array(16));
    }
    expect(call("dynptr_read", target, 1, dynptr, 0, 0)).toBe(-22n);
    expect(call("dynptr_write", dynptr, 0, target, 1, 0)).toBe(-22n);
    expect(call("dynptr_data", dynptr, 0, 1)).toBe(0n);
    expect(call("dynptr_from_mem", frame.page, 8, 0, dynptr)).toBe(0n);
    expect(call("dynptr_read", target, 1, dynptr, 0, 1)).toBe(-22n);
    expect(call("dynptr_write", dynptr, 0, target, 1, 1)).toBe(-22n);
  });

  test("one that a program made up is checked when it is used", () => {
    frame.reset();
    const dynptr = frame.put(16);
    const target = frame.put(8);
    expect(call("dynptr_from_mem", 8, 100, 0, dynptr)).toBe(0n);
    expect(() => call("dynptr_read", target, 8, dynptr, 0, 0)).toThrow("read 8 bytes at 0x8");
    expect(() => call("dynptr_write", dynptr, 0, target, 8, 0)).toThrow("wrote 8 bytes at 0x8");
    frame.memory.slice(dynptr, 16).fill(0xff);
    expect(() => call("dynptr_data", dynptr, 0, 1)).toThrow("where there is no memory");
    // Of a kind that has no memory here: a packet's.
    expect(call("dynptr_from_mem", frame.page, 8, 0, dynptr)).toBe(0n);
    frame.memory.slice(dynptr + 11, 1).fill(0x30);
    expect(call("dynptr_data", dynptr, 0, 1)).toBe(0n);
    expect(call("dynptr_read", target, 1, dynptr, 0, 0)).toBe(-14n);
    expect(call("dynptr_write", dynptr, 0, target, 1, 0)).toBe(-14n);
  });

  test("one for reading alone is not written", () => {
    frame.reset();
    const dynptr = frame.put(16);
    expect(call("dynptr_from_mem", frame.page + 64, 8, 0, dynptr)).toBe(0n);
    frame.memory.slice(dynptr + 11, 1).fill(0x90);
    expect(call("dynptr_write", dynptr, 0, frame.page, 1, 0)).toBe(-22n);
    expect(call("dynptr_data", dynptr, 0, 1)).toBe(0n);
    expect(call("dynptr_read", frame.page, 1, dynptr, 0, 0)).toBe(0n);
  });
});

describe("dynptrs over records", () => {
  const log: (readonly [string, ...(readonly number[])])[] = [];
  let record = 0;
  const calls: RuntimeCalls = {
    map: (_map, id, ...args) => {
      log.push(["map", id, ...args]);
      return record;
    },
    helper: (id, ...args) => {
      log.push(["helper", id, ...args]);
      return 0;
    },
  };
  const frame = new TestFrame();
  // The map is the import's to find.
  const helpers: Helper[] = dynptrHelpers(calls).map((helper) => ({
    ...helper,
    parameters: helper.parameters.map((parameter) => (parameter === "map" ? "address" : parameter)),
  }));
  const dynptr = frame.put(16);
  const call = (name: string, ...registers: (number | bigint)[]) => frame.invoke(helpers, name, ...registers);

  test("are reserved and submitted or discarded once", () => {
    record = frame.put(64);
    for (const [name, id] of [
      ["ringbuf_submit_dynptr", 132],
      ["ringbuf_discard_dynptr", 133],
    ] as const) {
      expect(call("ringbuf_reserve_dynptr", 1, 40, 0, dynptr)).toBe(0n);
      expect(call("dynptr_data", dynptr, 8, 32)).toBe(BigInt(record + 8));
      call(name, dynptr, 2);
      call(name, dynptr, 2);
      expect(log.splice(0)).toEqual([
        ["map", 131, 40, 0],
        ["helper", id, record, 2],
      ]);
      expect(frame.bytes(dynptr, 16)).toEqual(new Uint8Array(16));
    }
  });

  test("lead nowhere when there is no room", () => {
    record = 0;
    expect(call("ringbuf_reserve_dynptr", 1, 40, 0, dynptr)).toBe(-22n);
    expect(call("ringbuf_reserve_dynptr", 1, 2 ** 24, 0, dynptr)).toBe(-7n);
    expect(call("ringbuf_reserve_dynptr", 1, 40, 1, dynptr)).toBe(-22n);
    expect(log.splice(0)).toHaveLength(1);
    call("ringbuf_submit_dynptr", dynptr, 0);
    expect(log).toEqual([]);
  });

  test("others cannot be submitted", () => {
    call("dynptr_from_mem", frame.page, 8, 0, dynptr);
    expect(() => call("ringbuf_submit_dynptr", dynptr, 0)).toThrow("holds no record");
  });
});
