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

/** `enum perf_hw_cache_id`, `…_op_id` and `…_op_result_id`, in their order. */
const caches = ["l1d", "l1i", "ll", "dtlb", "itlb", "bpu", "node"];
const cacheOperations = ["read", "write", "prefetch"];
const cacheResults = ["access", "miss"];
/** HW_BREAKPOINT_* of include/uapi/linux/hw_breakpoint.h. */
const breakpointAccess: Readonly<Record<string, number>> = { r: 1, w: 2, rw: 3, x: 4 };

type Event = Pick<PerfEventOptions, "type" | "config" | "breakpoint">;

/**
 * What perf_event_open(2) takes for a source, without process and CPU. Throws InvalidValueError when the event
 * is unknown, or not exactly one of period and frequency is given.
 */
export function perfEventOptions(source: PerfEventSource): PerfEventOptions {
  const object = `perf event "${source.event}"`;
  const event = eventOf(source.event, object);
  const { period, frequency } = source;
  if ((period === undefined) === (frequency === undefined)) {
    throw new InvalidValueError(`${object}: give either a period or a frequency`);
  }
  const rate = period ?? frequency ?? 0;
  if (!Number.isSafeInteger(rate) || rate < 1) {
    const which = period === undefined ? "frequency" : "period";
    throw new InvalidValueError(`${object}: its ${which} is ${rate}, a whole number above 0 is wanted`);
  }
  return { ...event, object, ...(period === undefined ? { frequency: rate } : { period: rate }) };
}

function eventOf(text: string, object: string): Event {
  const [kind = "", name = "", ...rest] = text.split(":");
  switch (kind) {
    case "hw-cache":
      return cacheEvent([name, ...rest], object);
    case "raw": {
      const config = wholeNumber(name);
      if (config === undefined || rest.length > 0) {
        throw new InvalidValueError(`${object}: the processor's number is wanted, such as raw:0x1a8`);
      }
      return { type: PerfType.RAW, config };
    }
    case "breakpoint":
      return breakpointEvent(name, rest, object);
  }
  const group = events[kind];
  const config = group?.names.indexOf(name) ?? -1;
  if (group === undefined || config === -1 || rest.length > 0) {
    const known = Object.entries(events).flatMap(([prefix, { names }]) => names.map((each) => `${prefix}:${each}`));
    const forms = "hw-cache:CACHE:OPERATION:RESULT, raw:NUMBER and breakpoint:ADDRESS/LENGTH:ACCESS";
    throw new InvalidValueError(`${object} is unknown; there are ${known.join(", ")}, ${forms}`);
  }
  return { type: group.type, config };
}

function cacheEvent(parts: readonly string[], object: string): Event {
  const [cache = "", operation = "", result = "access"] = parts;
  const numbers = [caches.indexOf(cache), cacheOperations.indexOf(operation), cacheResults.indexOf(result)] as const;
  if (numbers.includes(-1) || parts.length > 3) {
    const wanted = [caches, cacheOperations, cacheResults].map((names) => names.join(" or ")).join("; then ");
    throw new InvalidValueError(`${object}: hw-cache is followed by ${wanted}`);
  }
  return { type: PerfType.HW_CACHE, config: numbers[0] | (numbers[1] << 8) | (numbers[2] << 16) };
}

/** `ADDRESS/LENGTH:ACCESS`; 4 bytes, and `rw`, unless it says otherwise. */
function breakpointEvent(place: string, rest: readonly string[], object: string): Event {
  const [addressText = "", lengthText = "4", ...more] = place.split("/");
  const address = wholeNumber(addressText);
  const length = Number(lengthText);
  const access = breakpointAccess[rest[0] ?? "rw"];
  if (
    address === undefined ||
    ![1, 2, 4, 8].includes(length) ||
    access === undefined ||
    rest.length > 1 ||
    more.length > 0
  ) {
    throw new InvalidValueError(
      `${object}: wanted is an address, a length of 1, 2, 4 or 8 and r, w, rw or x: breakpoint:0x7f001234/4:rw`,
    );
  }
  // Code is watched at one address: the length must be that of a `long`, whatever the instruction's.
  const bytes = access === breakpointAccess["x"] ? 8 : length;
  return { type: PerfType.BREAKPOINT, config: 0, breakpoint: { address, length: bytes, access } };
}

/** A number below 2^64 in decimal or hexadecimal. */
function wholeNumber(text: string): bigint | undefined {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) return undefined;
  const value = BigInt(text);
  return value < 1n << 64n ? value : undefined;
}
