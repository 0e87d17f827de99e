// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { TestFrame } from "./helper.test-kit.ts";
import type { Helper } from "./helper.ts";
import type { RuntimeCalls } from "./runtime-calls.ts";
import { storageHelpers } from "./storage-helpers.ts";

const frame = new TestFrame();
const values = new Map<number, number>();
const word = (address: number) => frame.memory.view.getUint32(frame.memory.index(address), true);
/** A hash map of keys of 4 bytes and values of 8. */
const calls: RuntimeCalls = {
  map: (_map, id, key = 0, value = 0) => {
    const owner = word(key);
    if (id === 1) return values.get(owner) ?? 0;
    if (id === 3) return values.delete(owner) ? 0 : -2 >>> 0;
    const at = frame.put(frame.bytes(value, 8));
    values.set(owner, at);
    return 0;
  },
  helper: () => 0,
};
// Maps come as what they are here, without an address.
const helpers: Helper[] = storageHelpers(frame.memory, calls).map(({ call, parameters, ...helper }) => ({
  ...helper,
  parameters: parameters.map((parameter) => (parameter === "map" ? "address" : parameter)),
  call: (frame, _map, ...rest) => call(frame, { spec: { valueSize: 8 } }, ...rest),
}));

describe.each(["sk_storage", "task_storage", "cgrp_storage"])("%s", (name) => {
  test("is made once an owner, from a value or from zeros, and deleted", () => {
    const [get, remove] = [`${name}_get`, `${name}_delete`];
    const value = frame.put(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    expect(frame.invoke(helpers, get, 0, 0x1000, value, 0)).toBe(0n);
    const first = Number(frame.invoke(helpers, get, 0, 0x1000, value, 1));
    expect(frame.bytes(first, 8)).toEqual(frame.bytes(value, 8));
    expect(frame.invoke(helpers, get, 0, 0x1000, 0, 1)).toBe(BigInt(first));
    const second = Number(frame.invoke(helpers, get, 0, 0x2000, 0, 1));
    expect(frame.bytes(second, 8)).toEqual(new Uint8Array(8));
    expect(frame.invoke(helpers, remove, 0, 0x1000)).toBe(0n);
    expect(frame.invoke(helpers, remove, 0, 0x1000)).toBe(-2n);
    expect(frame.invoke(helpers, remove, 0, 0x2000)).toBe(0n);
  });

  test("has no owner at null, no other flags, and no wild values", () => {
    const [get, remove] = [`${name}_get`, `${name}_delete`];
    expect(frame.invoke(helpers, get, 0, 0, 0, 1)).toBe(0n);
    expect(frame.invoke(helpers, get, 0, 2n ** 32n + 5n, 0, 1)).toBe(0n);
    expect(frame.invoke(helpers, get, 0, 0x3000, 0, 2)).toBe(0n);
    expect(frame.invoke(helpers, remove, 0, 0)).toBe(-22n);
    expect(() => frame.invoke(helpers, get, 0, 0x3000, 8, 1)).toThrow("read 8 bytes at 0x8");
    expect(values.size).toBe(0);
  });
});
