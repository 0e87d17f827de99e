// SPDX-License-Identifier: Apache-2.0

import { equal, ok } from "../assert.ts";
import { u32 } from "../bytes.ts";
import type { CaseContext } from "../case-context.ts";
import type { EngineCase } from "../engine-case.ts";
import { compute } from "./code.ts";

function texts(context: CaseContext, number: string, input: readonly bigint[] = [0n, 0n, 0n, 0n]) {
  const collection = context.load("suite-code", { programs: ["texts"] });
  collection.variable("number").set(number);
  collection.variable("in").set(input);
  context.run(collection, "texts");
  return {
    out: collection.variable<bigint[]>("out").get(),
    line: collection.variable<string>("line").get(),
  };
}

/** The Internet checksum's sum, not folded, as an engine may leave it: equal modulo 65535. */
const folded = (sum: bigint): bigint => {
  let rest = sum;
  while (rest > 0xffffn) rest = (rest & 0xffffn) + (rest >> 16n);
  return rest === 0xffffn ? 0n : rest;
};

const wordsSum = (words: readonly number[]): bigint => {
  const bytes = u32(...words);
  let sum = 0n;
  for (let i = 0; i < bytes.length; i += 2) sum += BigInt((bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8));
  return sum;
};

/** Helpers that need no packet. */
export const helperCases: readonly EngineCase[] = [
  {
    name: "helpers: bpf_strtol reads numbers, says how long they are, and refuses others",
    run(context) {
      equal(texts(context, "-123 x").out.slice(0, 2), [4n, -123n]);
      equal(texts(context, "0x1f").out.slice(0, 4), [4n, 31n, 4n, 31n]);
      equal(texts(context, "017").out.slice(0, 2), [3n, 15n]);
      equal(texts(context, "x").out.slice(0, 2), [-22n, 0n]);
    },
  },
  {
    name: "helpers: bpf_strtoul takes a base, and no sign",
    run(context) {
      equal(texts(context, "ff").out.slice(2, 4), [2n, 255n]);
      equal(texts(context, "-1").out.slice(0, 4), [2n, -1n, -22n, 0n]);
    },
  },
  {
    name: "helpers: bpf_snprintf formats numbers and texts, and gives the length with its NUL",
    run(context) {
      const { out, line } = texts(context, "0", [BigInt.asUintN(64, -5n), 4_000_000_000n, 0xffff_ffff_ffff_ffffn, 0n]);
      equal(line, "-5 4000000000 ffffffffffffffff skep%");
      equal(out.slice(4, 6), [BigInt(line.length + 1), BigInt(line.length + 1)]);
    },
  },
  {
    name: "helpers: clocks do not go back, CPUs have numbers, and chance is chance",
    run(context) {
      const [forward, running, cpu = -1n, first, second] = compute(context, "clocks", [], 5);
      equal([forward, running], [1n, 1n]);
      ok(cpu >= 0n && cpu < 4096n, `it runs on CPU ${cpu}`);
      // Once in 2^32 times they are the same.
      ok(
        first !== second || compute(context, "clocks", [], 5)[3] !== first,
        `bpf_get_prandom_u32 gives ${first} always`,
      );
    },
  },
  {
    name: "helpers: bpf_csum_diff sums what comes and what goes",
    run(context) {
      const from = wordsSum([0x01020304, 0x05060708]);
      const to = wordsSum([0x11121314, 0x15161718, 0x191a1b1c]);
      const found = compute(context, "sums", [], 3).map(folded);
      const minus = (sum: bigint): bigint => 0xffffn - folded(sum);
      equal(found, [folded(to), folded(minus(from)), folded(to + minus(from) + 0x1234n)]);
    },
  },
];
