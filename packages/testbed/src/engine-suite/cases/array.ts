// SPDX-License-Identifier: Apache-2.0

import { BatchCursor, InvalidValueError } from "@skep/ebpf";
import { equal, throwsA } from "../assert.ts";
import { readU32, u32 } from "../bytes.ts";
import type { CaseContext } from "../case-context.ts";
import type { EngineCase } from "../engine-case.ts";

interface Value {
  readonly packets: bigint;
  readonly balance: number;
  readonly name: string;
}

const zeros: Value = { packets: 0n, balance: 0, name: "" };
const five: Value = { packets: 5n, balance: -5, name: "five" };
const array = (context: CaseContext) => context.map<number, Value>("array");

/** Arrays, from outside. */
export const arrayCases: readonly EngineCase[] = [
  {
    name: "array: elements are zeros until they are written",
    run(context) {
      const map = array(context);
      equal(map.lookup(0), zeros);
      equal(map.lookup(7), zeros);
      map.update(7, five);
      equal(map.lookup(7), five);
      equal(map.lookup(6), zeros);
    },
  },
  {
    name: "array: past the end is nothing, and a write there fails with E2BIG",
    run(context) {
      const map = array(context);
      equal(map.lookup(8), undefined);
      equal(map.lookup(2 ** 32 - 1), undefined);
      context.refuses("E2BIG", () => map.update(8, five));
      context.refuses("E2BIG", () => map.update(2 ** 32 - 1, five));
      equal(
        [...map.entries()].map(([, value]) => value),
        new Array<Value>(8).fill(zeros),
      );
    },
  },
  {
    name: "array: every element is there already, and stays",
    run(context) {
      const map = array(context);
      context.refuses("EEXIST", () => map.update(1, five, "create"));
      map.update(1, five, "replace");
      context.refuses("EINVAL", () => map.delete(1));
      equal(map.lookup(1), five);
    },
  },
  {
    name: "array: keys are the indices in order",
    run(context) {
      equal([...array(context).keys()], [0, 1, 2, 3, 4, 5, 6, 7]);
      const next = new Uint8Array(4);
      const map = array(context);
      equal(map.nextKeyRaw(u32(7), next), false, "a key after the last");
      equal(map.nextKeyRaw(u32(6), next), true, "a key after the last but one");
      equal(readU32(next, 0), 7);
      equal(map.nextKeyRaw(u32(100), next), true, "a key after one that is absent");
      equal(readU32(next, 0), 0);
    },
  },
  {
    name: "array: batches write and read elements",
    run(context) {
      const map = array(context);
      const values = new Uint8Array(3 * 24);
      values.set([1], 0);
      values.set([2], 24);
      values.set([3], 48);
      equal(map.updateBatchRaw(u32(5, 0, 7), values, 3), 3);
      equal(
        [...map.entriesBatch()].map(([key, { packets }]) => [key, packets]),
        [
          [0, 2n],
          [1, 0n],
          [2, 0n],
          [3, 0n],
          [4, 0n],
          [5, 1n],
          [6, 0n],
          [7, 3n],
        ],
      );
      const cursor = new BatchCursor();
      const keys = new Uint8Array(3 * 4);
      const seen: number[] = [];
      while (!cursor.done) {
        const count = map.lookupBatchRaw(cursor, keys, new Uint8Array(3 * 24));
        for (let i = 0; i < count; i++) seen.push(readU32(keys, i * 4));
      }
      equal(seen, [0, 1, 2, 3, 4, 5, 6, 7]);
    },
  },
  {
    name: "array: nothing is taken out",
    run(context) {
      const map = array(context);
      map.update(1, five);
      context.refuses("ENOTSUPP", () => map.lookupAndDelete(1));
      equal(map.lookup(1), five);
    },
  },
  {
    name: "array: it is no queue, no filter and has no records",
    run(context) {
      const map = array(context);
      throwsA(InvalidValueError, () => map.push(zeros));
      throwsA(InvalidValueError, () => map.pop());
      throwsA(InvalidValueError, () => map.peek());
      throwsA(InvalidValueError, () => map.has(zeros));
      throwsA(InvalidValueError, () => map.records());
    },
  },
  {
    name: "array: a frozen map is read and not written",
    run(context) {
      const map = array(context);
      map.update(1, five);
      map.freeze();
      equal(map.lookup(1), five);
      context.refuses("EPERM", () => map.update(1, zeros));
      context.refuses("EPERM", () => map.updateRaw(u32(1), new Uint8Array(24)));
      context.refuses("EPERM", () => map.updateBatchRaw(u32(1), new Uint8Array(24), 1));
      equal(map.lookup(1), five);
    },
  },
];
