// SPDX-License-Identifier: Apache-2.0

import { equal } from "../assert.ts";
import type { EngineCase } from "../engine-case.ts";
import { compute } from "./code.ts";

/** Functions and callbacks. */
export const callCases: readonly EngineCase[] = [
  {
    name: "calls: functions take five arguments and give a result",
    run(context) {
      equal(compute(context, "functions", [3n, 4n], 4), [81n, 4n, 3n, 55n]);
    },
  },
  {
    name: "calls: eight frames deep, each has its own stack and keeps its registers",
    run(context) {
      // Each level keeps its argument, adds ten times it to what the next one gives, and the last adds 7.
      let wanted = 7n;
      for (let level = 0n; level < 7n; level++) wanted += (100n + level) * 10n;
      equal(compute(context, "functions", [100n, 0n], 5)[4], wanted);
    },
  },
  {
    name: "bpf_loop: it calls as often as it is told, or until the callback ends it",
    run(context) {
      equal(compute(context, "loops", [10n, 100n], 2), [10n, 45n]);
      equal(compute(context, "loops", [10n, 4n], 2), [5n, 10n]);
      equal(compute(context, "loops", [0n, 0n], 2), [0n, 0n]);
      equal(compute(context, "loops", [100_000n, 200_000n], 2), [100_000n, 4_999_950_000n]);
    },
  },
  {
    name: "bpf_loop: too many rounds are E2BIG, flags EINVAL",
    run(context) {
      equal(compute(context, "loops", [1n, 0n], 4).slice(2), [-7n, -22n]);
    },
  },
  {
    name: "bpf_loop: loops may be within loops",
    run(context) {
      equal(compute(context, "loops", [0n, 0n], 5)[4], 45n);
    },
  },
];
