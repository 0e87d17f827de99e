// SPDX-License-Identifier: Apache-2.0

import type { Emitters } from "./code/emitters.ts";
import type { HostHelper } from "./helper/helper-set.ts";
import type { VmNetwork } from "./helper/packet/packet-world.ts";
import type { TraceSink } from "./helper/print-helpers.ts";
import type { TaskInfo } from "./helper/task-helpers.ts";
import type { VmClock } from "./helper/time-helpers.ts";

/** How an engine is to be. */
export interface VmEngineOptions {
  /** Bytes of memory for stacks, maps and packets: 256 MiB unless given, less than 4 GiB. What is not used costs nothing. */
  readonly memory?: number;
  /** Width of WebAssembly addresses. Unless given, 64 with regions where the runtime has it, else 32: what is faster. */
  readonly addressBits?: 32 | 64;
  /**
   * Whether each access is checked to be in the program's stack, its context, its packet, or a map's value. True unless given:
   * without, a program can read and write the maps and stacks of others in this engine, though never anything outside.
   */
  readonly regions?: boolean;
  /** Instructions that a run may take, about; 100 million unless given. `false`: no limit, and programs that never end. */
  readonly fuel?: number | false;
  /** The task that programs find themselves in (`bpf_get_current_pid_tgid` and its kin): nobody unless given. */
  readonly task?: TaskInfo;
  /** The clock of `bpf_ktime_get_ns` and of timers: the platform's unless given. */
  readonly clock?: VmClock;
  /** What programs print (`bpf_printk`) goes here; nowhere unless given. */
  readonly trace?: TraceSink;
  /** Told what the callback of a `bpf_timer` threw: nobody waits for it. It is traced unless given. */
  readonly timerFailed?: (error: unknown) => void;
  /** Functions of the host that programs may call. */
  readonly helpers?: Iterable<HostHelper>;
  /** What programs of packets find around them: devices, routes, cgroups. A loopback device alone, unless given. */
  readonly network?: VmNetwork;
  /** How opcodes are translated: for tests that want it wrong. */
  readonly emitters?: Emitters;
  /**
   * Threads that are to run programs over the same maps, this one included: 1 unless given, 128 at most. With more the memory
   * is a SharedArrayBuffer, and per-CPU maps have a value for each; the others join by `VmEngine.handle`.
   */
  readonly workers?: number;
}

/** What is of a thread, and not of the memory that it joins. */
export type VmThreadOptions = Pick<
  VmEngineOptions,
  "task" | "clock" | "trace" | "timerFailed" | "helpers" | "network" | "emitters"
>;
