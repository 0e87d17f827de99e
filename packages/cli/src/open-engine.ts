// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { bundledCollectors } from "@skep/collector";
import { type Engine, PlayerEngine, readRecording } from "@skep/ebpf";
import { KernelEngine, whyNotObserve } from "@skep/kernel";
import type { Notice } from "@skep/web";

/** An engine, and what to tell people about it. */
export interface OpenedEngine {
  readonly engine: Engine;
  /** Why it is not the kernel, and what would change that. */
  readonly notice?: Notice;
}

/** Opens the kernel, or the player of the recording that ships with Skep where eBPF is not allowed. */
export function openEngine(): OpenedEngine {
  const obstacle = whyNotObserve();
  if (obstacle === undefined) return { engine: new KernelEngine() };
  const [collector] = bundledCollectors;
  if (collector === undefined) throw new Error("no collector is bundled");
  return {
    engine: new PlayerEngine(readRecording(readFileSync(collector.recording)), { loop: { pauseSeconds: 5 } }),
    notice: {
      title: "These events were recorded earlier, on another machine",
      why: obstacle.why,
      remedy: obstacle.remedy,
    },
  };
}
