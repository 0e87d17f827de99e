// SPDX-License-Identifier: Apache-2.0

import { expect, it } from "vitest";
import { sumCpus } from "./sum-cpus.ts";

it("adds up numbers wherever they are, and keeps what is not empty of the rest", () => {
  expect(sumCpus([1n, 0n, 2n])).toBe(3n);
  expect(sumCpus([1, 2])).toBe(3);
  expect(sumCpus([0])).toBe(0);
  expect(
    sumCpus([
      { packets: 1n, name: "", by: [1, 2], inner: { x: 1 } },
      { packets: 2n, name: "a", by: [3, 4], inner: { x: 5 } },
    ]),
  ).toEqual({ packets: 3n, name: "a", by: [4, 6], inner: { x: 6 } });
  expect(sumCpus([Uint8Array.of(0, 0), Uint8Array.of(0, 7)])).toEqual(Uint8Array.of(0, 7));
  expect(sumCpus(["", ""])).toBe("");
  expect(sumCpus([])).toBeUndefined();
});
