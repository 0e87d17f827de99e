// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, type PerfEventSource } from "@skep/ebpf";
import { type PerfEventOptions, PerfType } from "@skep/linux";

// `enum perf_sw_ids` and `enum perf_hw_id` of include/uapi/linux/perf_event.h, in their order.
const events: Readonly<Record<string, { readonly type: number; readonly names: readonly string[] }>> = {
  software: {
    type: PerfType.SOFTWARE,
    names: [
      "cpu-clock",
      "task-clock",
      "page-faults",
      "context-switches",
      "cpu-migrations",
      "minor-faults",
      "major-faults",
      "alignment-faults",
      "emulation-faults",
      "dummy",
      "bpf-output",
      "cgroup-switches",
    ],
  },
  hardware: {
    type: PerfType.HARDWARE,
    names: [
      "cpu-cycles",
      "instructions",
      "cache-references",
      "cache-misses",
      "branch-instructions",
      "branch-misses",
      "bus-cycles",
      "stalled-cycles-frontend",
      "stalled-cycles-backend",
      "ref-cycles",
    ],
  },
};

/**
 * What perf_event_open(2) takes for a source, without process and CPU. Throws InvalidValueError when the event
 * is unknown, or not exactly one of period and frequency is given.
 */
export function perfEventOptions(source: PerfEventSource): PerfEventOptions {
  const object = `perf event "${source.event}"`;
  const [kind = "", name = ""] = source.event.split(":", 2);
  const group = events[kind];
  const config = group?.names.indexOf(name) ?? -1;
  if (group === undefined || config === -1) {
    const known = Object.entries(events).flatMap(([prefix, { names }]) => names.map((each) => `${prefix}:${each}`));
    throw new InvalidValueError(`${object} is unknown; there are ${known.join(", ")}`);
  }
  const { period, frequency } = source;
  if ((period === undefined) === (frequency === undefined)) {
    throw new InvalidValueError(`${object}: give either a period or a frequency`);
  }
  const rate = period ?? frequency ?? 0;
  if (!Number.isSafeInteger(rate) || rate < 1) {
    const which = period === undefined ? "frequency" : "period";
    throw new InvalidValueError(`${object}: its ${which} is ${rate}, a whole number above 0 is wanted`);
  }
  return { type: group.type, config, object, ...(period === undefined ? { frequency: rate } : { period: rate }) };
}
