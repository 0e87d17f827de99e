// SPDX-License-Identifier: Apache-2.0

import type { VmMemory } from "../memory/vm-memory.ts";
import { dynptrHelpers } from "./dynptr-helpers.ts";
import type { Helper } from "./helper.ts";
import { kptrHelper } from "./kptr-helper.ts";
import { lockHelpers } from "./lock-helpers.ts";
import { printHelpers, type TraceSink } from "./print-helpers.ts";
import { readHelpers } from "./read-helpers.ts";
import { runHelpers } from "./run-helpers.ts";
import type { RuntimeCalls } from "./runtime-calls.ts";
import { storageHelpers } from "./storage-helpers.ts";
import { stringHelpers } from "./string-helpers.ts";
import { type TaskInfo, taskHelpers } from "./task-helpers.ts";
import { timeHelpers, type VmClock } from "./time-helpers.ts";
import { timerHelpers } from "./timer-helpers.ts";
import type { TimerSet } from "./timer-set.ts";

/** What the helpers of a worker stand on. */
export interface HelperGround {
  readonly memory: VmMemory;
  readonly clock: VmClock;
  readonly task: TaskInfo;
  readonly trace: TraceSink;
  readonly calls: RuntimeCalls;
  readonly timers: TimerSet;
}

/**
 * The kernel's helpers in JavaScript but for those of packets; `runtimeHelperFunctions` has those in C, maps have theirs. They
 * give what the kernel's do (kernel/bpf/helpers.c, kernel/trace/bpf_trace.c), negative error numbers included.
 */
export function standardHelpers({ memory, clock, task, trace, calls, timers }: HelperGround): Helper[] {
  return [
    ...timeHelpers(clock),
    ...taskHelpers(task),
    ...runHelpers(),
    ...printHelpers(trace),
    ...readHelpers(),
    ...stringHelpers(),
    ...lockHelpers(memory),
    ...dynptrHelpers(calls),
    ...storageHelpers(memory, calls),
    ...timerHelpers(timers),
    kptrHelper(memory),
  ];
}
