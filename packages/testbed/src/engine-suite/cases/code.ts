// SPDX-License-Identifier: Apache-2.0

import { equal } from "../assert.ts";
import type { CaseContext } from "../case-context.ts";
import type { EngineCase } from "../engine-case.ts";

/** Runs a program of `suite-code` on what it takes as `in`, and returns the first `count` of `out`. */
export function compute(context: CaseContext, program: string, input: readonly bigint[], count: number): bigint[] {
  const collection = context.load("suite-code", { programs: [program] });
  collection.variable("in").set([...input, ...new Array<bigint>(4 - input.length).fill(0n)]);
  context.run(collection, program);
  return collection.variable<bigint[]>("out").get().slice(0, count);
}

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);

/** What instructions compute, where C leaves it open too. */
export const codeCases: readonly EngineCase[] = [
  {
    name: "code: what a program returns is a number without a sign",
    run(context) {
      const collection = context.load("suite-code", { programs: ["minus_one"] });
      equal(context.run(collection, "minus_one").returned, 0xffff_ffff);
    },
  },
  {
    name: "code: atomic operations give the value before and leave the one after",
    run(context) {
      const [a, b, x, y] = [0xffff_ffff_ffff_fff0n, 0x25n, 0x0f0f_0f0f_0f0f_0f0fn, 77n];
      const added = BigInt.asUintN(64, a + b);
      const or = added | 0xf0n;
      const and = or & ~1n;
      const xor = and ^ x;
      equal(
        compute(context, "atomics", [a, b, x, y], 14),
        [
          a,
          added,
          added,
          or,
          and,
          xor,
          y,
          11n,
          11n,
          0xffff_ffffn,
          2n,
          2n,
          0x8000_0000n,
          BigInt.asUintN(64, 11n + b),
        ].map(signed),
      );
    },
  },
  {
    name: "code: dividing by zero gives 0, and leaves the remainder",
    run(context) {
      const a = 0xfedc_ba98_7654_3210n;
      equal(compute(context, "division", [a, 0n, 1n], 4), [0n, signed(a), 0n, 0x7654_3210n]);
    },
  },
  {
    name: "code: divisions are without a sign, in 64 bits and in 32",
    run(context) {
      const a = 0xfedc_ba98_7654_3210n;
      const d = 0x1_0000_0003n;
      equal(
        compute(context, "division", [a, d, 1n], 4),
        [a / d, a % d, 0x7654_3210n / 3n, 0x7654_3210n % 3n].map(signed),
      );
    },
  },
  {
    name: "code: shifts take the lower bits of their distance",
    run(context) {
      const a = 0x0123_4567_89ab_cdefn;
      const shifted = (n: bigint) => [
        signed(BigInt.asUintN(64, a << (n & 63n))),
        BigInt.asUintN(32, BigInt.asIntN(32, a) >> (n & 31n)),
      ];
      for (const n of [0n, 4n, 31n, 32n, 63n, 68n]) {
        equal(compute(context, "division", [a, 1n, n], 6).slice(4), shifted(n), `shifts by ${n}`);
      }
    },
  },
  {
    name: "code: byte orders are swapped and cut",
    run(context) {
      equal(compute(context, "division", [0x0123_4567_89ab_cdefn, 1n, 0n], 8).slice(6), [0xefcd_ab89n, 0xcdefn]);
    },
  },
  {
    name: "code: version 4 divides, moves and loads with a sign, and swaps",
    needs: ["v4"],
    run(context) {
      const collection = context.load("suite-v4");
      const [a, b, c] = [-1234567n, 1000n, -0x0123_4567_89ab_cdefn];
      collection.variable("in").set([a, b, c, 0n]);
      context.run(collection, "version4");
      const swapped = (value: bigint, bytes: number): bigint => {
        let result = 0n;
        for (let i = 0n; i < bytes; i++) result = (result << 8n) | ((value >> (8n * i)) & 0xffn);
        return result;
      };
      equal(collection.variable<bigint[]>("out").get(), [
        a / b,
        a % b,
        a / b,
        a % b,
        BigInt.asIntN(8, a),
        BigInt.asIntN(16, c),
        BigInt.asIntN(32, c),
        -3n,
        -300n,
        -70000n,
        signed(swapped(c, 8)),
        swapped(c, 2),
      ]);
    },
  },
  {
    name: "code: version 4 divides by zero, and the smallest number by -1, without a fault",
    needs: ["v4"],
    run(context) {
      const collection = context.load("suite-v4");
      const least = -(2n ** 63n);
      const run = (a: bigint, b: bigint): bigint[] => {
        collection.variable("in").set([a, b, 0n, 0n]);
        context.run(collection, "version4");
        return collection.variable<bigint[]>("out").get().slice(0, 4);
      };
      equal(run(-7n, 0n), [0n, -7n, 0n, -7n]);
      equal(run(least, -1n).slice(0, 2), [least, 0n]);
      equal(run(-(2n ** 31n), -1n), [2n ** 31n, 0n, -(2n ** 31n), 0n]);
    },
  },
];
