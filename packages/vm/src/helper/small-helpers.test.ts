// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { TestFrame } from "./helper.test-kit.ts";
import { kptrHelper } from "./kptr-helper.ts";
import { lockHelpers, releaseLock } from "./lock-helpers.ts";
import { printHelpers } from "./print-helpers.ts";
import { runHelpers } from "./run-helpers.ts";
import { platformClock, timeHelpers } from "./time-helpers.ts";

describe("time", () => {
  const frame = new TestFrame();

  test("the clocks are the engine's", () => {
    const helpers = timeHelpers({ now: () => 5_000_000_000.7, offset: 1_700_000_000_000_000_001n });
    for (const name of ["ktime_get_ns", "ktime_get_boot_ns", "ktime_get_coarse_ns"]) {
      expect(frame.invoke(helpers, name)).toBe(5_000_000_000n);
    }
    expect(frame.invoke(helpers, "ktime_get_tai_ns")).toBe(1_700_000_005_000_000_001n);
    expect(frame.invoke(helpers, "jiffies64")).toBe(2n ** 32n - 75_000n + 1250n);
  });

  test("the platform's clock goes on, and its offset leads to now", () => {
    const before = platformClock.now();
    expect(platformClock.now()).toBeGreaterThanOrEqual(before);
    const wall = (platformClock.offset + BigInt(Math.floor(platformClock.now()))) / 1_000_000n;
    expect(Math.abs(Number(wall) - Date.now())).toBeLessThan(1000);
  });
});

describe("printing", () => {
  const frame = new TestFrame();
  const lines: string[] = [];
  const helpers = printHelpers((text) => lines.push(text));
  const array = (...values: bigint[]) => frame.put(new Uint8Array(BigUint64Array.from(values).buffer));

  test("trace_printk and trace_vprintk hand over a line and return its length", () => {
    const format = frame.put("pid %d: %s\n");
    const name = frame.put("caf\u00e9");
    expect(frame.invoke(helpers, "trace_printk", format, 12, 7, name, 0)).toBe(13n);
    expect(frame.invoke(helpers, "trace_vprintk", format, 12, array(8n, BigInt(name)), 16)).toBe(13n);
    expect(lines.splice(0)).toEqual(["pid 7: caf\u00e9\n", "pid 8: caf\u00e9\n"]);
  });

  test("a line has 1023 bytes, its length is told whole", () => {
    expect(frame.invoke(helpers, "trace_printk", frame.put("%2000d"), 7, 1)).toBe(2000n);
    expect(lines.splice(0)).toEqual([" ".repeat(1023)]);
  });

  test("formats without an end, odd lengths and too many arguments are refused", () => {
    const format = frame.put("x%d");
    expect(frame.invoke(helpers, "trace_printk", format, 3)).toBe(-22n);
    const args = frame.put(200);
    for (const length of [4, 13 * 8]) {
      expect(frame.invoke(helpers, "trace_vprintk", format, 4, args, length)).toBe(-22n);
      expect(frame.invoke(helpers, "snprintf", frame.put(8), 8, format, args, length)).toBe(-22n);
    }
    expect(frame.invoke(helpers, "trace_vprintk", format, 4, 0, 8)).toBe(-22n);
    expect(frame.invoke(helpers, "trace_vprintk", format, 4, 0, 0)).toBe(-22n);
    expect(lines).toEqual([]);
  });

  test("snprintf returns the bytes that the whole text takes, NUL included", () => {
    const target = frame.put(new Uint8Array(8).fill(9));
    const format = frame.put("%d-%d");
    const args = array(1234n, 5n);
    expect(frame.invoke(helpers, "snprintf", target, 8, format, args, 16)).toBe(7n);
    expect(frame.text(target)).toBe("1234-5");
    expect(frame.invoke(helpers, "snprintf", target, 4, format, args, 16)).toBe(7n);
    expect(frame.text(target)).toBe("123");
    expect(frame.invoke(helpers, "snprintf", 0, 0, format, args, 16)).toBe(7n);
    expect(() => frame.invoke(helpers, "snprintf", target, 8, 8, args, 16)).toThrow("read 1 byte at 0x8");
  });
});

describe("spin locks", () => {
  test("lock and unlock", () => {
    const frame = new TestFrame();
    const helpers = lockHelpers(frame.memory);
    const lock = frame.put(4);
    frame.invoke(helpers, "spin_lock", lock);
    expect(frame.bytes(lock, 4)).toEqual(Uint8Array.of(1, 0, 0, 0));
    frame.invoke(helpers, "spin_unlock", lock);
    expect(frame.bytes(lock, 4)).toEqual(new Uint8Array(4));
    expect(releaseLock(frame.memory, frame.state)).toBe(false);
  });

  test("a run holds one at most, and opens the one that it holds", () => {
    const frame = new TestFrame();
    const helpers = lockHelpers(frame.memory);
    const [first, second] = [frame.put(4), frame.put(4)];
    const take = (address: number) => () => frame.invoke(helpers, "spin_lock", address);
    const give = (address: number) => () => frame.invoke(helpers, "spin_unlock", address);
    expect(give(first)).toThrow("which it does not hold");
    take(first)();
    expect(take(first)).toThrow("while it holds the one at");
    expect(take(second)).toThrow("while it holds the one at");
    expect(give(second)).toThrow("which it does not hold");
    expect(releaseLock(frame.memory, frame.state)).toBe(true);
    take(first)();
  });

  test("one that a program closed by a store is a fault, and so are wild addresses", () => {
    const frame = new TestFrame();
    const helpers = lockHelpers(frame.memory);
    const lock = frame.put(Uint8Array.of(1, 0, 0, 0));
    expect(() => frame.invoke(helpers, "spin_lock", lock)).toThrow("which nobody opens");
    expect(() => frame.invoke(helpers, "spin_lock", lock + 2)).toThrow("no multiple of 4");
    expect(() => frame.invoke(helpers, "spin_lock", 0)).toThrow("where there is no memory");
    expect(frame.state.lock).toBe(0);
  });
});

describe("kptr_xchg", () => {
  const frame = new TestFrame();
  const helpers = [kptrHelper(frame.memory)];

  test("puts in and takes out", () => {
    const at = frame.put(8);
    expect(frame.invoke(helpers, "kptr_xchg", at, 2n ** 63n + 5n)).toBe(0n);
    expect(frame.invoke(helpers, "kptr_xchg", at, 0)).toBe(BigInt.asIntN(64, 2n ** 63n + 5n));
    expect(() => frame.invoke(helpers, "kptr_xchg", at + 4, 0)).toThrow("no multiple of 8");
  });
});

describe("runs", () => {
  const calls: (readonly number[])[] = [];
  const frame = new TestFrame({
    call: (callback, ...args) => {
      calls.push([callback, ...args]);
      return args[0] === 3 ? 1 : 0;
    },
  });
  const helpers = runHelpers();

  test("loop counts its calls and stops when told", () => {
    expect(frame.invoke(helpers, "loop", 2, 99, 0x20000, 0)).toBe(2n);
    expect(calls.splice(0)).toEqual([
      [99, 0, 0x20000],
      [99, 1, 0x20000],
    ]);
    expect(frame.invoke(helpers, "loop", 10, 99, 0, 0)).toBe(4n);
    expect(calls.splice(0)).toHaveLength(4);
    expect(frame.invoke(helpers, "loop", 0, 99, 0, 0)).toBe(0n);
    expect(frame.invoke(helpers, "loop", 1, 99, 0, 1)).toBe(-22n);
    expect(frame.invoke(helpers, "loop", (1 << 23) + 1, 99, 0, 0)).toBe(2n ** 32n - 7n);
    expect(calls).toEqual([]);
  });

  test("the cookie and the function are the run's", () => {
    frame.state.context = 0x20000;
    expect(frame.invoke(helpers, "get_attach_cookie", 0x20000)).toBe(0x1234_5678_9abcn);
    expect(frame.invoke(helpers, "get_func_ip", 0x20000)).toBe(0xffff_0000n);
  });
});
