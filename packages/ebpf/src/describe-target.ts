// SPDX-License-Identifier: Apache-2.0

import type { AttachTarget } from "./attach-target.ts";

/** An attach target in a few words: `tracepoint sched:sched_switch`, `tp_btf sched_process_exec`. */
export function describeTarget(target: AttachTarget): string {
  if ("tracepoint" in target) return `tracepoint ${target.tracepoint}`;
  if ("rawTracepoint" in target) return `raw tracepoint ${target.rawTracepoint}`;
  if ("tpBtf" in target) return `tp_btf ${target.tpBtf}`;
  return `perf event ${target.perfEvent.event}`;
}
