// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { copyRecord, type RecordBatch, recordOf } from "./record-batch.ts";

const batch = (): RecordBatch => ({
  count: 2,
  bytes: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0, 0),
  offsets: Uint32Array.of(8, 0, 0),
  lengths: Uint32Array.of(3, 1, 5),
  lost: 0,
});

describe("a record of a batch", () => {
  it("is seen where it lies, or copied into new memory or into a target", () => {
    const leased = batch();
    const seen = recordOf(leased, 0);
    const copied = copyRecord(leased, 0);
    const target = new Uint8Array(8).fill(9);
    const reused = copyRecord(leased, 0, target);
    expect([seen, copied, reused]).toEqual([Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3)]);
    leased.bytes.fill(0);
    expect(seen).toEqual(new Uint8Array(3));
    expect(copied).toEqual(Uint8Array.of(1, 2, 3));
    expect(target).toEqual(Uint8Array.of(1, 2, 3, 9, 9, 9, 9, 9));
    expect(reused.buffer).toBe(target.buffer);
  });

  it("is refused when there is no such record, or no room for it", () => {
    expect(() => recordOf(batch(), 2)).toThrow("there is no record 2, the batch has 2");
    expect(() => copyRecord(batch(), -1)).toThrow("there is no record -1");
    expect(() => copyRecord(batch(), 0, new Uint8Array(2))).toThrow("record 0 is 3 bytes, the target has 2");
  });
});
