// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { VmFuzzer } from "../scripts/fuzz/vm/vm-fuzzer.ts";

/** 30 for each mode of the engine: enough for most kinds of instruction. `npm run fuzz -- vm` goes on from there. */
const PROGRAMS = 150;

describe("random programs", () => {
  test(`${PROGRAMS} of them come to the same in the kernel and in WebAssembly`, () => {
    using fuzzer = new VmFuzzer();
    const outcomes = Array.from({ length: PROGRAMS }, (_, seed) => fuzzer.run(seed).outcome);
    // The verifier may refuse one; were it all of them, nothing would have been compared.
    expect(outcomes.filter((outcome) => outcome === "agreed").length).toBeGreaterThan(PROGRAMS - 5);
    const executed = Object.values(fuzzer.histogram()).filter((times) => times > 0);
    expect(executed.length).toBeGreaterThan(150);
  });
});
