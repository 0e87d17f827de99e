// SPDX-License-Identifier: Apache-2.0

import { type BpfMap, InvalidValueError, isPerCpu, sumCpus } from "@skep/ebpf";
import type { Judgement } from "./matchers.ts";
import { showValue } from "./show-value.ts";

/** Entries that a message shows of a map. */
const SHOWN = 8;

/** Whether a map has an entry, with a value when one is wanted. */
export function judgeEntry(
  received: unknown,
  key: unknown,
  wanted: { readonly value: unknown } | undefined,
  equals: (a: unknown, b: unknown) => boolean,
): Judgement {
  const map = mapOf(received);
  const title = `map "${map.spec.name}"`;
  const found = map.lookup(key);
  if (found === undefined) {
    const value = wanted === undefined ? "" : `, wanted is ${showValue(wanted.value)}`;
    return { pass: false, message: `${title} has no key ${showValue(key)}${value}\n${contents(map)}`, unwanted: "" };
  }
  const summed = isPerCpu(map.spec.type) && wanted !== undefined && !Array.isArray(wanted.value);
  const value = summed ? sumCpus(found as unknown[]) : found;
  return {
    pass: wanted === undefined || equals(value, wanted.value),
    message: `${title}, key ${showValue(key)}: the value${summed ? " of all CPUs" : ""} is ${showValue(value)}, wanted is ${showValue(wanted?.value)}`,
    unwanted: `${title} has key ${showValue(key)} with ${showValue(value)}, which it should not`,
  };
}

function mapOf(received: unknown): BpfMap {
  if (typeof received === "object" && received !== null && "lookup" in received && "spec" in received) {
    return received as BpfMap;
  }
  throw new InvalidValueError("toHaveEntry is for maps");
}

function contents(map: BpfMap): string {
  const lines: string[] = [];
  let more = 0;
  for (const [key, value] of map.entries()) {
    if (lines.length === SHOWN) more++;
    else lines.push(`  ${showValue(key)}: ${showValue(value)}`);
  }
  if (lines.length === 0) return "it is empty";
  return ["it holds:", ...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join("\n");
}
