// SPDX-License-Identifier: Apache-2.0

import { arrayCases } from "./cases/array.ts";
import { callCases } from "./cases/calls.ts";
import { codeCases } from "./cases/code.ts";
import { hashCases } from "./cases/hash.ts";
import { helperCases } from "./cases/helpers.ts";
import { keylessCases } from "./cases/keyless.ts";
import { lifetimeCases } from "./cases/lifetime.ts";
import { lpmCases } from "./cases/lpm.ts";
import { lruCases } from "./cases/lru.ts";
import { mapProgramCases } from "./cases/map-programs.ts";
import { memoryCases } from "./cases/memory.ts";
import { nestedCases } from "./cases/nested.ts";
import { perCpuCases } from "./cases/per-cpu.ts";
import { recordCases } from "./cases/records.ts";
import { runCases } from "./cases/runs.ts";
import { skbCases } from "./cases/skb.ts";
import { variableCases } from "./cases/variables.ts";
import { xdpCases } from "./cases/xdp.ts";
import type { EngineCase } from "./engine-case.ts";

/** Every case, by name unlike all others. */
export const engineCases: readonly EngineCase[] = [
  ...hashCases,
  ...arrayCases,
  ...perCpuCases,
  ...lruCases,
  ...lpmCases,
  ...keylessCases,
  ...memoryCases,
  ...variableCases,
  ...mapProgramCases,
  ...nestedCases,
  ...recordCases,
  ...codeCases,
  ...callCases,
  ...helperCases,
  ...runCases,
  ...xdpCases,
  ...skbCases,
  ...lifetimeCases,
];

/** Names of the objects that the cases load: `NAME.bpf.o`. */
export const suiteObjects: readonly string[] = [
  "suite-maps",
  "suite-keyless",
  "suite-map-programs",
  "suite-nested",
  "suite-records",
  "suite-code",
  "suite-v4",
  "suite-packets",
];
