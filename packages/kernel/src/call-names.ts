// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";

/** What the immediates of calls are counted from, once the verifier is done (kernel/bpf/core.c). */
const BASE = "__bpf_call_base";
/** `ffffffff8123e4f0 T __bpf_call_base`, a module's name in brackets behind it. */
const LINE = /^([0-9a-f]+) \w (\S+)/;

/**
 * Names of the kernel's functions that calls lead to, by the calls' slots; `offsets` are their immediates. Calls to
 * what /proc/kallsyms does not tell (kernel.kptr_restrict) are left out.
 */
export function callNames(
  offsets: ReadonlyMap<number, number>,
  kallsyms: () => string = () => readFileSync("/proc/kallsyms", "latin1"),
): Map<number, string> {
  const names = new Map<number, string>();
  if (offsets.size === 0) return names;
  const text = kallsyms();
  const at = text.indexOf(` ${BASE}\n`);
  const base = BigInt(`0x${LINE.exec(text.slice(text.lastIndexOf("\n", at) + 1))?.[1] ?? "0"}`);
  if (at === -1 || base === 0n) return names;
  const slots = new Map<string, number[]>();
  for (const [slot, offset] of offsets) {
    // The kernel shows helpers' immediates as 0 to those who may not know addresses.
    if (offset === 0) continue;
    const address = BigInt.asUintN(64, base + BigInt(offset))
      .toString(16)
      .padStart(16, "0");
    slots.set(address, [...(slots.get(address) ?? []), slot]);
  }
  for (let start = 0; slots.size > 0 && start < text.length; ) {
    const end = text.indexOf("\n", start);
    const stop = end === -1 ? text.length : end;
    const address = text.slice(start, start + 16);
    const wanted = slots.get(address);
    if (wanted !== undefined) {
      const name = LINE.exec(text.slice(start, stop))?.[2];
      if (name !== undefined) for (const slot of wanted) names.set(slot, name);
      slots.delete(address);
    }
    start = stop + 1;
  }
  return names;
}
