// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TestFrame } from "./helper.test-kit.ts";
import { readHelpers } from "./read-helpers.ts";

const helpers = readHelpers();
const frame = new TestFrame();
const EFAULT = -14n;
const nowhere = [0n, 8n, 0xffffn, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n];

describe("probe_read and its kin", () => {
  test.each(["probe_read", "probe_read_user", "probe_read_kernel", "copy_from_user"])(
    "%s copies, or zeroes",
    (name) => {
      frame.reset();
      const source = frame.put(Uint8Array.of(1, 2, 3, 4, 5));
      const target = frame.put(Uint8Array.of(9, 9, 9, 9, 9));
      expect(frame.invoke(helpers, name, target, 4, source)).toBe(0n);
      expect(frame.bytes(target, 5)).toEqual(Uint8Array.of(1, 2, 3, 4, 9));
      for (const address of nowhere) {
        frame.memory.slice(target, 5).fill(9);
        expect(frame.invoke(helpers, name, target, 4, address)).toBe(EFAULT);
        expect(frame.bytes(target, 5)).toEqual(Uint8Array.of(0, 0, 0, 0, 9));
      }
      expect(frame.invoke(helpers, name, target, 2, frame.page + 4095)).toBe(EFAULT);
    },
  );

  test("overlapping ranges are copied whole", () => {
    frame.reset();
    const at = frame.put(Uint8Array.of(1, 2, 3, 4, 5));
    expect(frame.invoke(helpers, "probe_read", at + 1, 4, at)).toBe(0n);
    expect(frame.bytes(at, 5)).toEqual(Uint8Array.of(1, 1, 2, 3, 4));
  });

  test("a target that is not the program's is a fault", () => {
    expect(() => frame.invoke(helpers, "probe_read", 0, 4, frame.page)).toThrow("wrote 4 bytes at 0x0");
  });
});

describe("probe_read_str", () => {
  test.each(["probe_read_str", "probe_read_user_str", "probe_read_kernel_str"])("%s is a bounded copy", (name) => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.nat(48), fc.nat(7), (text, size, shift) => {
        frame.reset();
        const bytes = new TextEncoder().encode(text.replaceAll("\0", "."));
        const source = frame.put(new Uint8Array([...new Uint8Array(shift), ...bytes, 0])) + shift;
        const target = frame.put(new Uint8Array(56).fill(9));
        const wanted = Math.min(bytes.length + 1, size);
        expect(frame.invoke(helpers, name, target, size, source)).toBe(BigInt(wanted));
        const copy = [...bytes.subarray(0, Math.max(0, wanted - 1)), ...(size > 0 ? [0] : [])];
        expect([...frame.bytes(target, 56)]).toEqual([...copy, ...Array(56 - copy.length).fill(9)]);
      }),
    );
  });

  test("a string that leads out of what may be read is none", () => {
    frame.reset();
    const target = frame.put(Uint8Array.of(9, 9, 9, 9));
    const last = frame.page + 4095;
    frame.memory.slice(last, 1).fill(0x61);
    expect(frame.invoke(helpers, "probe_read_str", target, 4, last)).toBe(EFAULT);
    expect(frame.bytes(target, 4)).toEqual(new Uint8Array(4));
    // One byte is its NUL.
    expect(frame.invoke(helpers, "probe_read_str", target, 1, last)).toBe(1n);
    for (const address of nowhere) expect(frame.invoke(helpers, "probe_read_str", target, 4, address)).toBe(EFAULT);
  });
});

test("probe_write_user writes what the program may write", () => {
  frame.reset();
  const source = frame.put(Uint8Array.of(1, 2));
  const target = frame.put(4);
  expect(frame.invoke(helpers, "probe_write_user", target, source, 2)).toBe(0n);
  expect(frame.bytes(target, 4)).toEqual(Uint8Array.of(1, 2, 0, 0));
  expect(frame.invoke(helpers, "probe_write_user", frame.page + 4095, source, 2)).toBe(EFAULT);
});
