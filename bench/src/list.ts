// SPDX-License-Identifier: Apache-2.0

import type { Benchmark } from "./benchmark.ts";
import { loading } from "./load.ts";
import { maps } from "./maps.ts";
import { pipeline } from "./pipeline.ts";
import { ring } from "./ring.ts";
import { syscalls } from "./syscalls.ts";
import { vm } from "./vm.ts";
import { vmCompile } from "./vm-compile.ts";

/** Every benchmark, in the order of the list that `npm run bench` prints. */
export const benchmarks: readonly Benchmark[] = [syscalls, loading, maps, ring, pipeline, vm, vmCompile];
